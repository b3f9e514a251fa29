import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import type { PromptLogprobs } from '../../services/core/sampling/drawn-token.ts';
import { GREEDY } from '../../services/core/sampling/params.ts';
import { assertDrawn } from '../support/assert-drawn.ts';
import { makeRandom } from '../support/checkpoint-files.ts';
import {
  type GenerateOptions,
  MemoryCluster,
  type MemoryClusterOptions,
} from '../support/memory-cluster.ts';
import { ReferenceGenerator } from '../support/reference-generator.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';

const MODEL = `${BUNDLED_MODELS}/tinystories-5m`;
const DEGREES = [1, 2, 4, 8];
const MAX_TOKENS = 6;
const MOST_SEQUENCES = 6;

/** Prompts with and without log-probabilities, beside each other. */
const requests: readonly GenerateOptions[] = (() => {
  const random = makeRandom(11);
  return Array.from({ length: 7 }, (_, index) => ({
    prompt: Array.from({ length: 1 + 9 * index }, () => Math.floor(random() * 500)),
    maxTokens: MAX_TOKENS,
    sampling: {
      ...(index % 3 > 0 && { temperature: 1, seed: index }),
      ...(index % 2 === 0 && { promptLogprobs: index }),
    },
  }));
})();

type Event = CoordinatorEvent;

async function promptsOf(
  options: Partial<MemoryClusterOptions>,
  of: readonly GenerateOptions[] = requests,
): Promise<readonly (readonly PromptLogprobs[])[]> {
  const all = { model: MODEL, tp: 1, maxNumSeqs: MOST_SEQUENCES, ...options };
  return MemoryCluster.use(all, async (cluster) => {
    const generations = await cluster.generateAll(of);
    cluster.host.coordinator.scheduler!.checkIntegrity();
    return generations.map(({ promptLogprobs }) => promptLogprobs);
  });
}

/** Rows of logits that each step had. */
function countRows(rows: number[]): (event: Event) => void {
  return (event) => {
    if (event.kind !== 'stepCompleted') return;
    const counts = event.parts.map(
      ({ sample, promptTargets: { start, end } }) => end - start + Number(sample),
    );
    rows.push(counts.reduce((sum, count) => sum + count, 0));
  };
}

suite('log-probabilities of prompts', () => {
  test('are those of the oracle, at every degree with equal bits', async () => {
    const oracle = await ReferenceGenerator.load({
      ...{ model: MODEL, precision: 'f32', maxTokens: 128 },
    });
    const expected = await promptsOf({});
    for (const [index, { prompt, sampling }] of requests.entries()) {
      const reference = oracle.generate({
        ...{ prompt, maxTokens: 1, minTokens: 0, stopTokenIds: [], choice: 0 },
        sampling: { ...GREEDY, ...sampling },
      });
      const nothing = { tokens: [], logprobs: [] };
      const { promptLogprobs } = reference;
      assertDrawn({ ...nothing, promptLogprobs: expected[index]! }, { ...nothing, promptLogprobs });
      const count = sampling?.promptLogprobs === undefined ? 0 : prompt.length - 1;
      assert.equal(promptLogprobs.length, count);
    }
    for (const tp of DEGREES) assert.deepEqual(await promptsOf({ tp }), expected, `tp ${tp}`);
  });

  test('have equal bits in any chunks, alone and beside others, and never more rows than fit', async () => {
    const expected = await promptsOf({});
    for (const manner of [
      { chunk: 1 },
      { chunk: 7, maxNumBatchedTokens: 16 },
      { maxNumSeqs: 1 },
      { maxNumSeqs: 2, maxNumBatchedTokens: 40 },
      { maxNumSeqs: 64 },
    ]) {
      const rows: number[] = [];
      const options = { tp: 2, ...manner, onEvent: countRows(rows) };
      assert.deepEqual(await promptsOf(options), expected, JSON.stringify(manner));
      assert.ok(Math.max(...rows) <= (manner.maxNumSeqs ?? MOST_SEQUENCES));
    }
    for (const [index, request] of requests.entries()) {
      assert.deepEqual(await promptsOf({ tp: 2 }, [request]), [expected[index]]);
    }
  });

  test('are told once, and the same, after preemptions and failed steps', async () => {
    const expected = await promptsOf({});
    let recomputed = 0;
    const scarce = await promptsOf({
      ...{ tp: 2, kvBlocks: 24, blockSize: 4, chunk: 5 },
      onEvent: (event) => {
        if (event.kind !== 'stepCompleted') return;
        for (const { sequence, admitted } of event.parts) {
          const asks = sequence.request.sampling.promptLogprobs !== undefined;
          if (admitted && asks && sequence.preemptions > 0) recomputed++;
        }
      },
    });
    assert.ok(recomputed > 0, 'a sequence that tells of its prompt was preempted');
    assert.deepEqual(scarce, expected);
    let steps = 0;
    let failures = 0;
    const failing = await MemoryCluster.use(
      {
        ...{ model: MODEL, tp: 2, maxNumSeqs: MOST_SEQUENCES, chunk: 8 },
        onEvent: (event) => {
          if (event.kind === 'stepFailed') failures++;
          if (event.kind === 'stepCompleted' && ++steps % 12 === 0) fail();
        },
      },
      (cluster) => {
        fail = () => queueMicrotask(() => cluster.host.coordinator.reconnected());
        return cluster.generateAll(requests);
      },
    );
    assert.ok(failures > 1, `${failures} failed steps`);
    assert.deepEqual(
      failing.map(({ promptLogprobs }) => promptLogprobs),
      expected,
    );
  });

  test('do not read the prefix cache, which others read after them', async () => {
    const prompt = requests[5]!.prompt;
    const plain = { prompt, maxTokens: 1 };
    const asking = { ...plain, sampling: { promptLogprobs: 2 } };
    await MemoryCluster.use({ model: MODEL, tp: 1, blockSize: 4 }, async (cluster) => {
      const { stats } = cluster.host.coordinator.scheduler!;
      const first = await cluster.generate(asking);
      const second = await cluster.generate(asking);
      assert.deepEqual(second.promptLogprobs, first.promptLogprobs);
      assert.deepEqual([stats.prefixCacheHits, stats.prefixCacheQueries], [0, 0]);
      assert.deepEqual((await cluster.generate(plain)).tokens, first.tokens);
      assert.ok(stats.prefixCacheHits > 0);
    });
  });

  test('come once for all samples of a request', async () => {
    const prompt = requests[3]!.prompt;
    let told = 0;
    const onEvent = (event: Event): void => {
      if (event.kind === 'promptLogprobs') told += event.logprobs.length;
    };
    const request = { prompt, maxTokens: 2, sampling: { promptLogprobs: 1 }, choice: 3 };
    await MemoryCluster.use({ model: MODEL, tp: 2, maxNumSeqs: 6, onEvent }, async (cluster) => {
      await cluster.generate(request);
      // The sample that tells of the prompt is slower than the one that is looked at.
      await cluster.idle();
    });
    assert.equal(told, prompt.length - 1);
  });
});

/** Set once there is a cluster. */
let fail = (): void => {};
