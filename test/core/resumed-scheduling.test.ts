import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { SchedulerBench } from '../support/scheduler-bench.ts';

test('a request that goes on takes the places of its open samples alone', () => {
  const bench = new SchedulerBench({ maxNumQueuedReqs: 3, maxNumQueuedTokens: 15 });
  const request = makeGenerationRequest({ promptTokens: [1, 2, 3, 4, 5], n: 3, maxTokens: 8 });
  const progress = { generated: new Map([[2, [6, 7]]]), toldPromptTokens: 1 };
  const admissions = [1, 2, 3, 4].map(() => bench.scheduler.add(request, 0, progress).kind);
  assert.deepEqual(admissions, ['queued', 'queued', 'queued', 'rejected']);
});

test('a request that goes on computes its tokens anew, and counts them', () => {
  const promptTokens = [1, 2, 3, 4, 5];
  const generated = [6, 7, 8, 9, 10, 11];
  const bench = new SchedulerBench({});
  const request = makeGenerationRequest({ promptTokens, n: 3, maxTokens: 8 });
  const progress = {
    generated: new Map([
      [1, generated],
      [2, []],
    ]),
    toldPromptTokens: 1,
  };
  const admission = bench.scheduler.add(request, 0, progress);
  assert.ok(admission.kind === 'queued');
  const [begun, unbegun] = admission.sequences;
  assert.deepEqual([begun!.choice, unbegun!.choice], [1, 2]);
  assert.deepEqual(bench.step(), [
    [1, 0, 11],
    [2, 4, 1],
  ]);
  bench.step();
  assert.deepEqual([begun!.state, begun!.tokens.length], ['ended', 13]);
  assert.deepEqual([unbegun!.state, unbegun!.tokens.length], ['running', 7]);
  bench.scheduler.cancel(unbegun!);
  const cached = bench.scheduler.add(request, 0, progress);
  assert.ok(cached.kind === 'queued');
  bench.step();
  assert.equal(cached.sequences[0]!.cachedTokens, 5, 'tokens of the prompt alone are hits');
});
