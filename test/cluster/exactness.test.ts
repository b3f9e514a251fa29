import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  KV_CACHE_DTYPES,
  type KvCacheDtype,
  PRECISIONS,
  type Precision,
} from '../../services/core/model/precision.ts';
import { GREEDY } from '../../services/core/sampling/params.ts';
import { makeRandom } from '../support/checkpoint-files.ts';
import {
  type GenerateOptions,
  type Generation,
  MemoryCluster,
  type MemoryClusterOptions,
} from '../support/memory-cluster.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { arbitraryModel, arbitraryRequests, writeTinyModel } from './tiny-models.ts';

const DEGREES = [1, 2, 4, 8];
const RUNS = 8;

/** How a batch is carried out; none of it may be seen in a result. */
const arbitraryManner = fc.record({
  chunk: fc.constantFrom(0, 1, 7),
  blockSize: fc.constantFrom(4, 16, 32),
  maxNumBatchedTokens: fc.constantFrom(8, 40, 512),
  maxNumSeqs: fc.constantFrom(1, 3, 8),
  kvBlocks: fc.constantFrom(32, 64),
});

function generateTogether(
  options: MemoryClusterOptions,
  requests: readonly GenerateOptions[],
): Promise<Generation[]> {
  return MemoryCluster.use(options, (cluster) => cluster.generateAll(requests));
}

/** Every request for itself, its prompt in one piece, on one chip. */
function generateAlone(
  options: MemoryClusterOptions,
  requests: readonly GenerateOptions[],
): Promise<Generation[]> {
  return MemoryCluster.use(options, async (cluster) => {
    const generations: Generation[] = [];
    for (const request of requests) generations.push(await cluster.generate(request));
    return generations;
  });
}

function makePrompts(
  count: number,
  options: { readonly vocabulary: number; readonly longest: number },
): number[][] {
  const random = makeRandom(count);
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(random() * options.longest) }, () =>
      Math.floor(random() * options.vocabulary),
    ),
  );
}

suite('the bits of tokens and logits depend on nothing but the request', () => {
  for (const precision of PRECISIONS) {
    for (const kvCacheDtype of KV_CACHE_DTYPES) {
      test(`${precision} with ${kvCacheDtype} keys and values, random models`, async (t) => {
        const directory = makeTemporaryDirectory(t);
        const property = fc.asyncProperty(
          arbitraryModel,
          arbitraryRequests({ count: 7, maxPrompt: 40 }),
          fc.tuple(arbitraryManner, arbitraryManner, arbitraryManner, arbitraryManner),
          async (tiny, requests, manners) => {
            const model = writeTinyModel(directory, tiny);
            const common = { model, precision, kvCacheDtype };
            const alone = await generateAlone({ ...common, tp: 1, kvBlocks: 16 }, requests);
            for (const [index, tp] of DEGREES.entries()) {
              const options = { ...common, tp, ...manners[index] };
              assert.deepEqual(await generateTogether(options, requests), alone, `TP ${tp}`);
            }
          },
        );
        // Where a case fails, a smaller one is not looked for: that takes minutes.
        await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
      });
    }
  }

  const bundled = join(BUNDLED_MODELS, 'tinystories-5m');

  test('64 different prompts in one batch, bundled model, fp8', async () => {
    const prompts = makePrompts(64, { vocabulary: 2048, longest: 12 });
    const requests = prompts.map((prompt, index) => ({
      prompt,
      maxTokens: 6,
      sampling: index % 2 === 0 ? GREEDY : { temperature: 0.8, topP: 0.95, topK: 0, seed: index },
    }));
    const options = { model: bundled, precision: 'fp8', kvBlocks: 160 } as const;
    const alone = await generateAlone({ ...options, tp: 1 }, requests);
    for (const tp of [1, 8]) {
      assert.deepEqual(await generateTogether({ ...options, tp }, requests), alone, `TP ${tp}`);
    }
  });

  test('one thread and two, bundled model', async () => {
    // Together long enough that segments are divided among the threads.
    const requests = makePrompts(6, { vocabulary: 2048, longest: 60 }).map((prompt) => ({
      prompt,
      maxTokens: 2,
    }));
    for (const [precision, kvCacheDtype] of [
      ['f32', 'auto'],
      ['fp8', 'fp8'],
    ] satisfies [Precision, KvCacheDtype][]) {
      const options = { model: bundled, precision, kvCacheDtype, kvBlocks: 64 };
      const one = await generateTogether({ ...options, tp: 2 }, requests);
      assert.deepEqual(await generateTogether({ ...options, tp: 2, threads: 2 }, requests), one);
      assert.deepEqual(await generateAlone({ ...options, tp: 1 }, requests), one);
    }
  });
});
