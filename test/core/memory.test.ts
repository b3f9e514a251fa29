import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { SOHU } from '../../services/core/hardware/chips/sohu.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import {
  accountHbm,
  countKvBlocks,
  HOST_KV_BYTES,
  hostKvBytesPerBlock,
  type MemoryOptions,
} from '../../services/core/model/memory.ts';
import { PRECISIONS } from '../../services/core/model/precision.ts';
import { planShard, rangeSize } from '../../services/core/model/shard-plan.ts';
import { arbitraryConfig, makeConfig } from './model-configs.ts';

const OPTIONS: MemoryOptions = {
  precision: 'fp8',
  kvCacheDtype: 'auto',
  blockSize: 16,
  maxNumBatchedTokens: 10,
  numGpuBlocksOverride: undefined,
};

const LLAMA_405B: Partial<ModelConfig> = {
  hiddenSize: 16_384,
  intermediateSize: 53_248,
  layers: 126,
  heads: 128,
  kvHeads: 8,
  headDim: 128,
  vocabSize: 128_256,
};

suite('memory of a modelled chip', () => {
  test('a small model, counted by hand', () => {
    // hidden 32, MLP 48, 2 layers, 8 heads and 4 KV heads of 4, 64 tokens, no tied embeddings
    const plan = planShard(makeConfig(), 1, 0);
    const columns = 32 + 16 + 16 + 48 + 48; // query, key, value, gate, up
    const outputs = 8 * 32; // attention output or down: every leaf scales its 32 channels
    assert.deepEqual(accountHbm(plan, OPTIONS), {
      weightBytes:
        2 * (32 * (columns + 32 + 48) + 4 * (columns + 2 * outputs) + 2 * 2 * 32) + // layers
        2 * (64 * 32 + 64 * 32 + 32), // embedding, LM head and final norm in bf16
      activationBytes: 4 * 10 * (3 * 32 + 2 * 8 * 4 + 2 * 4 * 4 + 3 * 48),
      kvBytesPerBlock: 2 * 2 * 16 * 4 * (4 * 2), // keys and values, layers, slots, heads, bf16
    });
    const f32 = accountHbm(plan, { ...OPTIONS, precision: 'f32' });
    assert.equal(f32.weightBytes, 78_464);
    assert.equal(f32.kvBytesPerBlock, 4_096);
    const fp8 = accountHbm(plan, { ...OPTIONS, kvCacheDtype: 'fp8' });
    assert.equal(fp8.kvBytesPerBlock, 2 * 2 * 16 * 4 * (4 + 4)); // with an f32 scale a head
  });

  test('the weights of all ranks add up to the model and what they hold in common', () => {
    const property = fc.property(
      arbitraryConfig,
      fc.constantFrom(2, 4, 8),
      fc.constantFrom(...PRECISIONS),
      (config, degree, precision) => {
        const options = { ...OPTIONS, precision };
        const plans = Array.from({ length: degree }, (_, rank) => planShard(config, degree, rank));
        const sum = plans.reduce((total, plan) => total + accountHbm(plan, options).weightBytes, 0);
        const [wide, element, scale] = { f32: [4, 4, 0], bf16: [2, 2, 0], fp8: [2, 1, 4] }[
          precision
        ] as [number, number, number];
        const norms = (2 * config.layers + 1) * config.hiddenSize * wide;
        const kvHeads = plans.reduce((total, plan) => total + rangeSize(plan.kvHeads), 0);
        const copiedColumns = 2 * config.layers * (kvHeads - config.kvHeads) * config.headDim;
        const whole = accountHbm(planShard(config, 1, 0), options).weightBytes;
        const copies = copiedColumns * (config.hiddenSize * element + scale);
        assert.equal(sum, whole + (degree - 1) * norms + copies);
      },
    );
    fc.assert(property);
  });

  test('the KV blocks are what the HBM leaves, unless the override or the host has fewer', () => {
    const plan = planShard(makeConfig(), 1, 0);
    const { weightBytes, activationBytes, kvBytesPerBlock } = accountHbm(plan, OPTIONS);
    const chip = (blocks: number) => ({
      name: 'Small',
      hbmBytes: weightBytes + activationBytes + blocks * kvBytesPerBlock,
    });
    assert.equal(countKvBlocks(plan, OPTIONS, chip(7)), 7);
    assert.equal(countKvBlocks(plan, OPTIONS, chip(7.9)), 7);
    assert.equal(countKvBlocks(plan, { ...OPTIONS, numGpuBlocksOverride: 5 }, chip(7)), 5);
    assert.equal(countKvBlocks(plan, { ...OPTIONS, numGpuBlocksOverride: 9 }, chip(7)), 7);
    const host = HOST_KV_BYTES / hostKvBytesPerBlock(plan, OPTIONS.blockSize);
    assert.equal(countKvBlocks(plan, OPTIONS, SOHU), host);
  });

  test('a chip without any KV head counts blocks all the same', () => {
    const plan = planShard(makeConfig({ heads: 1, kvHeads: 1 }), 8, 7);
    assert.equal(rangeSize(plan.kvHeads), 0);
    assert.ok(countKvBlocks(plan, OPTIONS, SOHU) > 1000);
  });

  test('what does not fit is refused with the arithmetic', () => {
    const plan = planShard(makeConfig(LLAMA_405B), 1, 0);
    assert.throws(() => countKvBlocks(plan, { ...OPTIONS, maxNumBatchedTokens: 8192 }, SOHU), {
      name: 'ModelError',
      message:
        /^the model does not fit 1 Sohu chip\(s\): chip 0 needs 41\d\.\d GB of weights \+ \d+\.\d GB of activations \+ 0\.0 GB for one KV block = 4\d\d\.\d GB, and has 144\.0 GB$/,
    });
    assert.ok(countKvBlocks(planShard(makeConfig(LLAMA_405B), 4, 0), OPTIONS, SOHU) >= 1);
  });
});
