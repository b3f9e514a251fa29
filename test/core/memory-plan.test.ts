import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { architectureOf } from '../../services/core/architecture/from-model-config.ts';
import { makeParametric } from '../../services/core/architecture/parametric.ts';
import { SOHU } from '../../services/core/hardware/chips/sohu.ts';
import { accountHbm } from '../../services/core/model/memory.ts';
import { planShard } from '../../services/core/model/shard-plan.ts';
import { checkLayout, type Layout } from '../../services/core/timing/layout.ts';
import { planLayouts, smallestLayout } from '../../services/core/timing/layout-search.ts';
import type { PlacedModel } from '../../services/core/timing/load-price.ts';
import {
  modelWeightBytes,
  planMemory,
  weightBytesPerChip,
} from '../../services/core/timing/memory-plan.ts';
import { findSoftwareVersion } from '../../services/core/timing/software-version.ts';
import { LLAMA_70B } from '../support/pricing.ts';
import { makeConfig } from './model-configs.ts';

const FP8 = { weights: 'fp8', kv: 'fp8' } as const;
const ALONE: Layout = { tp: 1, pp: 1, ep: 1, dp: 1 };

function plan(layout: Layout, architecture = LLAMA_70B) {
  return planMemory({
    architecture,
    layout,
    precision: FP8,
    chip: SOHU,
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 256,
    memoryFraction: 1,
    kvFraction: 0.95,
  });
}

function place(architecture: PlacedModel['architecture']): PlacedModel {
  return {
    architecture,
    chip: SOHU,
    layout: ALONE,
    precision: FP8,
    software: findSoftwareVersion('trtllm-1.0'),
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 256,
  };
}

suite('the memory of a layout', () => {
  test('8 Sohu hold Llama-3-70B and some 2,870 sequences of 2,176 tokens', () => {
    const { weightBytes, kvTokens, fits } = plan({ ...ALONE, tp: 8 });
    assert.ok(fits);
    assert.ok(Math.abs(weightBytes / ((68.45e9 + 4 * 1.0507e9) / 8) - 1) < 0.001);
    assert.ok(Math.abs(kvTokens / 2176 / 2870 - 1) < 0.03, `${kvTokens / 2176}`);
  });

  test('agrees with the executable shard plan on weights, scales and norms aside', () => {
    const config = makeConfig({
      hiddenSize: 512,
      intermediateSize: 1536,
      layers: 4,
      headDim: 64,
      vocabSize: 1024,
    });
    const architecture = architectureOf(config, { name: 'small', source: 'test' });
    for (const tp of [1, 2, 4, 8]) {
      const executable = accountHbm(planShard(config, tp, 0), {
        precision: 'bf16',
        kvCacheDtype: 'auto',
        blockSize: 16,
        maxNumBatchedTokens: 16,
        numGpuBlocksOverride: undefined,
      }).weightBytes;
      const priced = weightBytesPerChip(
        architecture,
        { ...ALONE, tp },
        { weights: 'bf16', kv: 'bf16' },
      );
      assert.ok(Math.abs(priced / executable - 1) < 0.01, `${priced} is ${executable}`);
    }
  });

  test('more chips never hold more weights each, and never fewer tokens together', () => {
    const degree = fc.constantFrom(1, 2, 4, 8);
    const model = fc.constantFrom(LLAMA_70B, makeParametric('moe', 400e9));
    const property = fc.property(model, degree, degree, degree, (architecture, tp, more, pp) => {
      const few = plan({ ...ALONE, tp, pp }, architecture);
      const many = plan({ ...ALONE, tp: Math.max(tp, more), pp }, architecture);
      assert.ok(many.weightBytes <= few.weightBytes);
      assert.ok(many.activationBytes <= few.activationBytes);
      assert.ok(many.kvTokens >= few.kvTokens);
      const deeper = plan({ ...ALONE, tp, pp: 2 * pp }, architecture);
      assert.ok(deeper.weightBytes <= few.weightBytes);
    });
    fc.assert(property);
  });

  test('100 trillion parameters in fp8 need some 695 chips of 144 GB for the weights alone', () => {
    for (const kind of ['dense', 'moe'] as const) {
      const bytes = modelWeightBytes(makeParametric(kind, 100e12), FP8);
      const chips = Math.ceil(bytes / SOHU.hbmBytes);
      assert.ok(chips >= 680 && chips <= 710, `${chips}`);
      const smallest = smallestLayout(place(makeParametric(kind, 100e12)))!;
      assert.ok(smallest.plan.chips > chips);
      assert.ok(smallest.plan.fits);
    }
  });

  test('lists only layouts of the chips asked for that fit, the roomiest first', () => {
    const found = planLayouts(place(makeParametric('moe', 600e9)), 16);
    assert.ok(found.length > 3);
    let before = Number.POSITIVE_INFINITY;
    for (const { layout, plan: memory } of found) {
      assert.equal(layout.tp * layout.pp * layout.dp, 16);
      assert.ok(memory.fits);
      assert.ok(memory.kvTokens * layout.dp <= before);
      before = memory.kvTokens * layout.dp;
    }
  });
});

suite('an impossible layout is refused with the nearest degree', () => {
  const moe = makeParametric('moe', 100e9);
  const cases: readonly (readonly [Partial<Layout>, RegExp])[] = [
    [{ tp: 7 }, /tp must divide the \d+ heads of moe-100b, which 7 does not; the nearest is 8/],
    [
      { pp: 10_000 },
      /pp must be at most the \d+ layers of moe-100b, not 10000; the nearest is \d+/,
    ],
    [
      { ep: 3, tp: 4 },
      /ep must divide the 256 expert\(s\) of moe-100b and tp × dp = 4, which 3 does not; the nearest is [24]/,
    ],
    [{ dp: 0 }, /dp must be an integer from 1, not 0/],
  ];
  for (const [changes, says] of cases) {
    test(`${JSON.stringify(changes)}`, () => {
      assert.throws(() => checkLayout({ ...ALONE, ...changes }, moe), says);
    });
  }
});
