import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { KV_CACHE_DTYPES, PRECISIONS } from '../../services/core/model/precision.ts';
import { planStep } from '../../services/core/model/step-plan.ts';
import type { Kernels } from '../../services/kernels/kernels.ts';
import { createReferenceKernels } from '../../services/kernels/reference.ts';
import { createWasmKernels, type KernelMemory } from '../../services/kernels/wasm.ts';
import { loadShard } from '../../services/runtime/chip/shard-loading.ts';
import { ShardExecutor } from '../../services/shard/executor.ts';
import type { SequenceRows, Shard } from '../../services/shard/shard.ts';
import { arbitraryModel, writeTinyModel } from '../cluster/tiny-models.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const STEPS: readonly (readonly SequenceRows[])[] = [
  [
    { tokens: [1, 2, 3, 4, 0, 1, 2], start: 0, blocks: [3, 0], sample: false },
    { tokens: [4, 4], start: 0, blocks: [1], sample: true },
  ],
  [
    { tokens: [3, 3, 2, 1], start: 7, blocks: [3, 0], sample: true },
    { tokens: [0], start: 2, blocks: [1], sample: true },
    { tokens: [2], start: 0, blocks: [2], sample: true },
  ],
];

interface LoadedChip {
  readonly shard: Shard;
  readonly memory: KernelMemory;
}

/** Executes both steps of one chip as if it were alone; returns the bits of its activations, partials and logits. */
function runSteps(
  { shard, memory }: LoadedChip,
  options: {
    readonly makeKernels: (memory: KernelMemory) => Kernels;
    /** Where a segment's rows are divided between two threads, as a share of the rows. */
    readonly split: number;
  },
): Uint8Array[] {
  const kernels = options.makeKernels(memory);
  const threads = [0, 1].map((thread) => new ShardExecutor(shard.layout, kernels, thread));
  const { tokens: own } = shard.layout.plan;
  const results: Uint8Array[] = [];
  for (const sequences of STEPS) {
    const { rows, samples } = shard.writeBatch(sequences);
    const tokens = sequences.flatMap((sequence) => sequence.tokens);
    shard.hidden.fill(0.25, 0, rows * shard.hiddenStride);
    tokens.forEach((token, row) => {
      if (token >= own.start && token < own.end) shard.embed(token, row);
    });
    for (const stage of planStep(shard.layout.plan.config)) {
      if (stage.kind === 'collective') {
        if (stage.operation !== 'embedding') addPartial(shard, stage.operation, rows);
        continue;
      }
      const end = stage.segment === 'head' ? samples : rows;
      const middle = Math.floor(options.split * end);
      threads[1]!.run(stage.segment, stage.layer, { start: middle, end });
      threads[0]!.run(stage.segment, stage.layer, { start: 0, end: middle });
    }
    const hidden = shard.hidden.subarray(0, rows * shard.hiddenStride);
    const logits = Array.from({ length: samples }, (_, sample) => shard.logitsOf(sample));
    for (const floats of [hidden, ...logits]) results.push(copyBytes(floats));
  }
  return results;
}

function addPartial(shard: Shard, operation: 'attention' | 'mlp', rows: number): void {
  const partial = shard.partialOf(operation);
  for (let i = 0; i < rows * shard.hiddenStride; i++) {
    shard.hidden[i] = shard.hidden[i]! + partial[i]!;
  }
}

function copyBytes(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.slice().buffer);
}

suite('the executor', () => {
  test('has the same bits in WebAssembly and in the reference, and however rows are divided', async (t) => {
    const directory = makeTemporaryDirectory(t);
    const property = fc.asyncProperty(
      arbitraryModel,
      fc.constantFrom(...PRECISIONS),
      fc.constantFrom(...KV_CACHE_DTYPES),
      fc.constantFrom([1, 0], [2, 1], [4, 2], [8, 0], [8, 7]),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (tiny, precision, kvCacheDtype, [tensorParallel, rank], split) => {
        const model = writeTinyModel(directory, tiny);
        const spec = {
          model,
          precision,
          kvCacheDtype,
          tensorParallel: tensorParallel!,
          blockSize: 8,
          numGpuBlocksOverride: 4,
          maxNumBatchedTokens: 12,
          maxNumSeqs: 4,
        };
        const load = async (): Promise<LoadedChip> => {
          const options = { spec, rank: rank!, threads: 2, onProgress: () => {} };
          const { loaded, memory } = await loadShard(options);
          return { shard: loaded.shard, memory };
        };
        const expected = runSteps(await load(), {
          makeKernels: ({ buffer }) => createReferenceKernels(buffer),
          split: 1,
        });
        for (const share of [1, split]) {
          const options = { makeKernels: createWasmKernels, split: share };
          assert.deepEqual(runSteps(await load(), options), expected);
        }
      },
    );
    await fc.assert(property, { numRuns: 80 });
  });
});
