import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { PRECISIONS } from '../../services/core/model/precision.ts';
import { arbitrarySamplingOf } from '../core/arbitrary-sampling.ts';
import { assertDrawn } from '../support/assert-drawn.ts';
import { MemoryCluster, type MemoryClusterOptions } from '../support/memory-cluster.ts';
import { ReferenceGenerator, type ReferenceRequest } from '../support/reference-generator.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { arbitraryModel, arbitraryRequests, writeTinyModel } from './tiny-models.ts';

const MAX_TOKENS = 64;

/** Generates with a cluster all at once, and with the oracle one after the other. */
async function assertOracles(
  options: MemoryClusterOptions,
  requests: readonly ReferenceRequest[],
): Promise<void> {
  const { model, precision = 'f32' } = options;
  const oracle = await ReferenceGenerator.load({ model, precision, maxTokens: MAX_TOKENS });
  const generations = await MemoryCluster.use(options, (cluster) => cluster.generateAll(requests));
  requests.forEach((request, index) => {
    const expected = oracle.generate(request);
    assertDrawn(generations[index]!, expected);
    assert.equal(generations[index]!.finishReason, expected.finishReason);
  });
}

suite('a cluster generates what the oracle does', () => {
  for (const precision of PRECISIONS) {
    test(`random models and requests, ${precision}`, async (t) => {
      const directory = makeTemporaryDirectory(t);
      const property = fc.asyncProperty(
        arbitraryModel,
        arbitraryRequests({ count: 8, maxPrompt: 40 }),
        fc.constantFrom(1, 2, 4, 8),
        fc.constantFrom(0, 3),
        async (tiny, requests, tp, chunk) => {
          const model = writeTinyModel(directory, tiny);
          await assertOracles({ model, precision, tp, chunk, kvBlocks: 32 }, requests);
        },
      );
      await fc.assert(property, { numRuns: 20, endOnFailure: true });
    });
  }

  test('the bundled model, whose vocabulary is large enough for whole logits', async () => {
    const model = join(BUNDLED_MODELS, 'tinystories-5m');
    const sampling = arbitrarySamplingOf(2048);
    const requests = fc.sample(sampling, { numRuns: 24, seed: 9 }).map((params, index) => ({
      ...{ prompt: [1, 17 + index, 300], maxTokens: 10, minTokens: 5, stopTokenIds: [2, 13] },
      ...{ sampling: params, choice: index % 2 },
    }));
    await assertOracles({ model, precision: 'fp8', tp: 4, kvBlocks: 128 }, requests);
  });
});
