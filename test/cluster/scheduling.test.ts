import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  CAPACITY_SCHEDULER_POLICIES,
  SCHEDULING_POLICIES,
} from '../../services/core/scheduler/options.ts';
import type { Sequence } from '../../services/core/scheduler/request.ts';
import { assertDrawn } from '../support/assert-drawn.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { MemoryCluster, type MemoryClusterOptions } from '../support/memory-cluster.ts';
import { ReferenceGenerator, type ReferenceRequest } from '../support/reference-generator.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { arbitraryModel, arbitraryRequests, writeTinyModel } from './tiny-models.ts';

/** What the scheduler went through. */
interface Course {
  readonly preemptions: number;
  readonly hits: number;
}

const MAX_TOKENS = 96;
/** Holds the longest of the random requests, and never all of them. */
const KV_BLOCKS = 14;
const BLOCK_SIZE = 4;

/** Generates with a cluster, all at once and twice over, and compares with the oracle. */
async function assertOracles(
  options: MemoryClusterOptions,
  requests: readonly ReferenceRequest[],
): Promise<Course> {
  const { model, precision = 'f32' } = options;
  const oracle = await ReferenceGenerator.load({ model, precision, maxTokens: MAX_TOKENS });
  const expected = requests.map((request) => oracle.generate(request));
  return MemoryCluster.use(options, async (cluster) => {
    for (let round = 0; round < 2; round++) {
      const generations = await cluster.generateAll(requests);
      generations.forEach((generation, index) => {
        assertDrawn(generation, expected[index]!);
        assert.equal(generation.finishReason, expected[index]!.finishReason);
      });
    }
    await cluster.idle(); // parallel samples that nobody looks at may go on
    const { scheduler } = cluster.host.coordinator;
    scheduler!.checkIntegrity();
    assert.equal(scheduler!.usedBlocks, 0);
    const { preemptions, prefixCacheHits } = scheduler!.stats;
    return { preemptions, hits: prefixCacheHits };
  });
}

/** Cancels neighbours of the requests that are looked at, now and then, as tokens come. */
class Neighbours {
  readonly #running: Sequence[] = [];
  #tokens = 0;

  readonly onToken = (cluster: MemoryCluster): void => {
    const { coordinator } = cluster.host;
    this.#tokens++;
    if (this.#tokens % 3 === 0 && this.#running.length < 6) {
      const promptTokens = Array.from({ length: 1 + (this.#tokens % 11) }, (_, i) => i % 4);
      const admission = coordinator.submit(
        makeGenerationRequest({ promptTokens, maxTokens: 20, ignoreEos: true, n: 2 }),
      );
      if (admission.kind === 'queued') this.#running.push(...admission.sequences);
    }
    if (this.#tokens % 2 === 0 && this.#running.length > 0) {
      coordinator.cancel(this.#running.shift()!);
    }
  };

  /** Lets go of those that are left. */
  cancelAll(cluster: MemoryCluster): void {
    for (const sequence of this.#running) cluster.host.coordinator.cancel(sequence);
  }
}

suite('tokens depend on nothing that the scheduler does', () => {
  test('with few blocks, small budgets and any policy they are the oracle’s', async (t) => {
    const directory = makeTemporaryDirectory(t);
    let preemptions = 0;
    let hits = 0;
    const arbitraryScheduler = fc.record({
      schedulingPolicy: fc.constantFrom(...SCHEDULING_POLICIES),
      capacitySchedulerPolicy: fc.constantFrom('max_utilization', ...CAPACITY_SCHEDULER_POLICIES),
      watermark: fc.constantFrom(0, 0.1),
      maxNumBatchedTokens: fc.constantFrom(8, 64),
      enablePrefixCaching: fc.constantFrom(true, true, false),
    });
    const property = fc.asyncProperty(
      arbitraryModel,
      arbitraryRequests({ count: 9, maxPrompt: 30 }),
      fc.constantFrom(1, 2, 4),
      arbitraryScheduler,
      async (tiny, requests, tp, scheduler) => {
        const model = writeTinyModel(directory, tiny);
        const limits = { kvBlocks: KV_BLOCKS, blockSize: BLOCK_SIZE, maxNumSeqs: 8 };
        const course = await assertOracles({ model, tp, scheduler, ...limits }, requests);
        preemptions += course.preemptions;
        hits += course.hits;
      },
    );
    await fc.assert(property, { numRuns: 60, endOnFailure: true });
    assert.ok(preemptions > 20 && hits > 100, `${preemptions} preemptions, ${hits} tokens hit`);
  });

  test('neighbours that come and are cancelled leave them as they are', async (t) => {
    const directory = makeTemporaryDirectory(t);
    const property = fc.asyncProperty(
      arbitraryModel,
      arbitraryRequests({ count: 5, maxPrompt: 20 }),
      fc.constantFrom(1, 2),
      async (tiny, requests, tp) => {
        const model = writeTinyModel(directory, tiny);
        const oracle = await ReferenceGenerator.load({
          ...{ model, precision: 'f32', maxTokens: MAX_TOKENS },
        });
        const neighbours = new Neighbours();
        const options = { model, tp, kvBlocks: KV_BLOCKS, blockSize: BLOCK_SIZE };
        await MemoryCluster.use({ ...options, onToken: neighbours.onToken }, async (cluster) => {
          const generations = await cluster.generateAll(requests);
          generations.forEach((generation, index) => {
            assertDrawn(generation, oracle.generate(requests[index]!));
          });
          neighbours.cancelAll(cluster);
        });
      },
    );
    await fc.assert(property, { numRuns: 30, endOnFailure: true });
  });

  test('a hundred requests go through eight KV blocks, and all get the oracle’s tokens', async () => {
    const model = join(BUNDLED_MODELS, 'tinystories-5m');
    const sampling = fc.sample(arbitraryRequests({ count: 1, maxPrompt: 3 }), {
      numRuns: 100,
      seed: 4,
    });
    const requests = sampling.map(([request], index) => ({
      ...request!,
      prompt: Array.from({ length: 20 + (index % 30) }, (_, i) => (i * (index % 5)) % 2000),
      maxTokens: 12 + (index % 20),
      minTokens: index % 5,
      choice: 0,
    }));
    const course = await assertOracles({ model, precision: 'fp8', tp: 2, kvBlocks: 8 }, requests);
    assert.ok(course.preemptions > 10 && course.hits > 0, JSON.stringify(course));
  });
});
