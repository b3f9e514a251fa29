import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { tensorShape } from '../../services/checkpoint/tensor-table.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import { planShard, rangeSize } from '../../services/core/model/shard-plan.ts';
import type { TensorId, TensorSlice, TensorSource } from '../../services/core/model/tensors.ts';
import { e4m3ToNumber } from '../../services/core/support/rounding.ts';
import { planLayout } from '../../services/shard/layout.ts';
import { ShardLoader } from '../../services/shard/loader.ts';
import { quantizeChannels } from '../../services/shard/weight-rounding.ts';
import { makeConfig } from '../core/model-configs.ts';

const OPTIONS = {
  precision: 'fp8',
  kvFormat: 'bf16',
  blockSize: 4,
  kvBlocks: 2,
  maxRows: 3,
  maxSequences: 2,
  threads: 1,
} as const;

/** Counts how often every element of every tensor is read. */
class CountingSource implements TensorSource {
  readonly counts = new Map<string, Uint8Array>();
  readonly #config: ModelConfig;

  constructor(config: ModelConfig) {
    this.#config = config;
  }

  read(tensor: TensorId, slice: TensorSlice): Float32Array {
    const [rows, columns] = tensorShape(this.#config, tensor.kind);
    const { rowStart, rowEnd, columnStart, columnEnd } = slice;
    assert.ok(rowStart >= 0 && rowStart < rowEnd && rowEnd <= rows);
    assert.ok(columnStart >= 0 && columnStart < columnEnd && columnEnd <= columns);
    const name = tensor.kind;
    const counts = this.counts.get(name) ?? new Uint8Array(rows * columns);
    this.counts.set(name, counts);
    for (let row = rowStart; row < rowEnd; row++) {
      for (let column = columnStart; column < columnEnd; column++)
        counts[row * columns + column]!++;
    }
    return new Float32Array((rowEnd - rowStart) * (columnEnd - columnStart)).fill(0.5);
  }
}

const arbitraryConfig = fc
  .record({
    kvHeads: fc.integer({ min: 1, max: 9 }),
    group: fc.integer({ min: 1, max: 3 }),
    hiddenSize: fc.integer({ min: 1, max: 40 }),
    intermediateSize: fc.integer({ min: 1, max: 60 }),
    vocabSize: fc.integer({ min: 1, max: 90 }),
    tiedEmbeddings: fc.boolean(),
  })
  .map(({ group, ...fields }) =>
    makeConfig({ ...fields, heads: group * fields.kvHeads, layers: 1, maxPositions: 8 }),
  );

suite('the loader', () => {
  test('the chips of a group together read every weight once, and what they share on each', () => {
    const property = fc.property(
      arbitraryConfig,
      fc.constantFrom(1, 2, 4, 8),
      (config, tensorParallel) => {
        const source = new CountingSource(config);
        let kvHeads = 0;
        for (let rank = 0; rank < tensorParallel; rank++) {
          const plan = planShard(config, tensorParallel, rank);
          kvHeads += rangeSize(plan.kvHeads);
          const layout = planLayout(plan, OPTIONS, 0);
          const loader = new ShardLoader(layout, new ArrayBuffer(layout.bytes), source);
          while (loader.loaded < loader.total) loader.loadNext();
        }
        for (const [kind, counts] of source.counts) {
          if (kind === 'key' || kind === 'value') {
            assert.ok(counts.every((count) => count >= 1 && count <= tensorParallel));
            const read = counts.reduce((sum, count) => sum + count, 0);
            assert.equal(read, kvHeads * config.headDim * config.hiddenSize);
            continue;
          }
          const shared = kind.endsWith('Norm') ? tensorParallel : 1;
          const twice = kind === 'embedding' && config.tiedEmbeddings ? 2 : 1;
          assert.ok(
            counts.every((count) => count === shared * twice),
            kind,
          );
        }
        assert.equal(source.counts.size, config.tiedEmbeddings ? 11 : 12);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  test('every matrix and buffer has a place of its own', () => {
    const property = fc.property(arbitraryConfig, fc.constantFrom(1, 8), (config, degree) => {
      const layout = planLayout(planShard(config, degree, degree - 1), OPTIONS, 64);
      const matrices = layout.layers.flatMap((layer) => [
        layer.qkv,
        layer.gateUp,
        ...layer.attentionOutput.map(({ matrix }) => matrix),
        ...layer.down.map(({ matrix }) => matrix),
      ]);
      const filled = [...matrices, layout.lmHead].filter(
        ({ inner, columns }) => inner * columns > 0,
      );
      const addresses = filled.map(({ weights }) => weights);
      assert.equal(new Set(addresses).size, addresses.length);
      const all = [...addresses, ...Object.values(layout.buffers)];
      assert.ok(all.every((address) => address % 64 === 0 && address >= 64));
      assert.ok(all.every((address) => address <= layout.bytes));
    });
    fc.assert(property, { numRuns: 40 });
  });
});

suite('weights in E4M3', () => {
  test('each channel is scaled to its largest weight and rounded to the nearest code', () => {
    const codes = Array.from({ length: 127 }, (_, code) => e4m3ToNumber(code));
    const property = fc.property(
      fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 20 }),
      (values) => {
        const weights = Float32Array.from(values);
        const scales = new Float32Array(1);
        quantizeChannels(weights, values.length, scales);
        const largest = Math.max(...values.map(Math.abs));
        assert.equal(scales[0], Math.fround(largest / 448) || 1);
        values.forEach((value, i) => {
          const scaled = Math.abs(Math.fround(Math.fround(value) / scales[0]!));
          const nearest = Math.min(...codes.map((code) => Math.abs(code - scaled)));
          assert.ok(codes.includes(Math.abs(weights[i]!)));
          assert.equal(Math.abs(Math.abs(weights[i]!) - scaled), nearest);
        });
      },
    );
    fc.assert(property, { numRuns: 300 });
  });
});
