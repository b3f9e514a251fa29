import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { Command } from 'commander';
import fc from 'fast-check';
import { type Completion, type RpcError, SohuClient } from '../../services/client/index.ts';
import { launchCluster } from '../../services/runtime/cluster/launch.ts';
import {
  addServingOptions,
  type ServingOptions,
} from '../../services/runtime/options/serving-options.ts';
import { arbitrarySamplingOf } from '../core/arbitrary-sampling.ts';
import { assertDrawn } from '../support/assert-drawn.ts';
import { natsServerBinary } from '../support/broker.ts';
import { ReferenceGenerator } from '../support/reference-generator.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';

const MODEL = join(BUNDLED_MODELS, 'tinystories-5m');
const VOCABULARY = 2048;
const REQUESTS = 100;

/** Prompts of different lengths, half of which begin like others. */
function makePrompt(index: number): number[] {
  const length = 18 + (index % 30);
  return Array.from(
    { length },
    (_, i) => (i < 16 ? 1 + i * (1 + (index % 5)) : 7 * index + i) % 2000,
  );
}

/** e2e = queue + inference, and inference = prefill + decode. */
function assertTimings({ choices }: Completion): void {
  for (const { timings } of choices) {
    const { queueMs, prefillMs, decodeMs, inferenceMs, e2eMs } = timings;
    assert.ok(Math.abs(e2eMs - queueMs - inferenceMs) < 1e-9);
    assert.ok(Math.abs(inferenceMs - prefillMs - decodeMs) < 1e-9);
  }
}

suite('a cluster of processes with eight KV blocks', () => {
  test('serves a hundred requests at once as the oracle does, cancelled neighbours among them', async (t) => {
    const natsServer = await natsServerBinary(t);
    if (natsServer === undefined) return;
    const serving = addServingOptions(new Command()).opts<ServingOptions>();
    const cluster = await launchCluster({
      ...{ ...serving, model: MODEL, tp: 2, numGpuBlocksOverride: 8, maxNumBatchedTokens: 256 },
      ...{ cluster: 'test', natsServer, onProgress: () => {} },
      signal: new AbortController().signal,
    });
    t.after(() => cluster.stop());
    const client = await SohuClient.connect(cluster.natsUrl, { cluster: 'test' });
    t.after(() => client.close());
    const samplings = fc.sample(arbitrarySamplingOf(VOCABULARY), { numRuns: REQUESTS, seed: 12 });
    const requests = samplings.map(({ logitBias, ...sampling }, index) => ({
      ...{ ...sampling, prompt: makePrompt(index), ignoreEos: true },
      logitBias: Object.fromEntries(logitBias.map(({ token, bias }) => [token, bias])),
      ...{ maxTokens: 8 + (index % 40), minTokens: index % 4, stopTokenIds: [index % 9, 13] },
      n: index % 8 === 0 ? 3 : 1,
    }));
    const neighbours = requests.slice(0, 20).map(async (request, index) => {
      let tokens = 0;
      for await (const event of client.generateStream({ ...request, maxTokens: 60 })) {
        if (event.kind === 'tokens' && ++tokens > index % 7) return;
      }
    });
    const late = client.generate(requests[0]!, { timeoutMs: 1 });
    await assert.rejects(late, (error) => (error as RpcError).code === 'DEADLINE_EXCEEDED');
    const completions = await Promise.all(requests.map((request) => client.generate(request)));
    await Promise.all(neighbours);
    const oracle = await ReferenceGenerator.load({ model: MODEL, precision: 'fp8', maxTokens: 96 });
    completions.forEach((completion, index) => {
      const { prompt, maxTokens, minTokens, stopTokenIds } = requests[index]!;
      const sampling = samplings[index]!;
      const request = { prompt, maxTokens, minTokens, stopTokenIds, sampling };
      assert.equal(completion.choices.length, requests[index]!.n);
      for (const { index: choice, tokenIds, logprobs, finishReason } of completion.choices) {
        const expected = oracle.generate({ ...request, choice });
        const isAsked = sampling.logprobs !== undefined;
        assertDrawn(
          {
            tokens: tokenIds,
            logprobs: isAsked ? logprobs : tokenIds.map(() => undefined),
            promptLogprobs: choice === 0 ? completion.promptLogprobs : [],
          },
          expected,
        );
        assert.equal(logprobs.length, isAsked ? tokenIds.length : 0);
        assert.equal(finishReason, expected.finishReason);
      }
      assertTimings(completion);
    });
    const choices = completions.flatMap((completion) => completion.choices);
    assert.ok(choices.some(({ preemptions }) => preemptions > 0));
    assert.ok(choices.some(({ usage }) => usage.cachedTokens > 0));
  });
});
