import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { GenerationRequest } from '../../services/core/scheduler/request.ts';
import { Scheduler, type SchedulerOptions } from '../../services/core/scheduler/scheduler.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { SchedulerModel } from './scheduler-model.ts';

const OPTIONS: SchedulerOptions = {
  maxNumSeqs: 2,
  maxNumBatchedTokens: 8,
  longPrefillTokenThreshold: 0,
  maxNumQueuedReqs: 2,
  maxModelLen: 20,
  blockSize: 4,
  kvBlocks: 5,
  stopTokenIds: [1],
};

function makeRequest(promptLength: number, maxTokens: number): GenerationRequest {
  const promptTokens = Array.from({ length: promptLength }, () => 5);
  return makeGenerationRequest({ promptTokens, maxTokens });
}

const arbitraryOptions: fc.Arbitrary<SchedulerOptions> = fc.record({
  maxNumSeqs: fc.integer({ min: 1, max: 5 }),
  maxNumBatchedTokens: fc.integer({ min: 1, max: 24 }),
  longPrefillTokenThreshold: fc.constantFrom(0, 1, 7),
  maxNumQueuedReqs: fc.integer({ min: 1, max: 8 }),
  maxModelLen: fc.integer({ min: 8, max: 40 }),
  blockSize: fc.constantFrom(1, 4, 16),
  kvBlocks: fc.integer({ min: 3, max: 20 }),
  stopTokenIds: fc.constantFrom([], [0], [0, 3]),
});

const arbitraryAction = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    prompt: fc.integer({ min: 0, max: 30 }),
    maxTokens: fc.integer({ min: 0, max: 20 }),
    ignoreEos: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('cancel' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('schedule' as const) }),
  fc.record({ kind: fc.constant('complete' as const), seed: fc.nat() }),
);

suite('the scheduler', () => {
  test('keeps its limits, its order and its promises under any course of events', () => {
    const property = fc.property(
      arbitraryOptions,
      fc.array(arbitraryAction, { maxLength: 120, size: 'max' }),
      (options, actions) => {
        const model = new SchedulerModel(options);
        for (const action of actions) {
          if (action.kind === 'add') model.add(action);
          else if (action.kind === 'cancel') model.cancel(action.index);
          else if (action.kind === 'schedule') model.schedule();
          else model.complete(action.seed);
          model.check();
        }
        model.finish();
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  test('what can never be served is refused with the reason', () => {
    const scheduler = new Scheduler(OPTIONS);
    const refusal = (prompt: number, maxTokens: number): unknown =>
      scheduler.add(makeRequest(prompt, maxTokens), 0);
    const invalid = (message: string) => ({ kind: 'rejected', reason: 'invalid', message });
    assert.deepEqual(refusal(0, 1), invalid('the prompt has no tokens; it needs at least one'));
    assert.deepEqual(
      refusal(20, 1),
      invalid('the prompt has 20 tokens; it must have fewer than the context length of 20'),
    );
    for (const maxTokens of [0, 1.5, Number.NaN]) {
      assert.deepEqual(
        refusal(1, maxTokens),
        invalid(`max_tokens must be a whole number of at least 1, not ${maxTokens}`),
      );
    }
    const small = new Scheduler({ ...OPTIONS, kvBlocks: 2 });
    assert.deepEqual(
      small.add(makeRequest(4, 6), 0),
      invalid('the request may need 3 KV blocks of 4 tokens; the group has 2: lower max_tokens'),
    );
    assert.equal(small.add(makeRequest(4, 5), 0).kind, 'queued');
  });

  test('a full queue says so', () => {
    const scheduler = new Scheduler(OPTIONS);
    assert.equal(scheduler.add(makeRequest(1, 1), 0).kind, 'queued');
    assert.equal(scheduler.add(makeRequest(1, 1), 0).kind, 'queued');
    assert.deepEqual(scheduler.add(makeRequest(1, 1), 0), {
      kind: 'rejected',
      reason: 'full',
      message: 'the queue is full: 2 requests are waiting; try again later',
    });
  });

  test('the moments of a request are kept', () => {
    const scheduler = new Scheduler(OPTIONS);
    const admission = scheduler.add(makeRequest(10, 2), 10);
    assert.ok(admission.kind === 'queued');
    const sequence = admission.sequences[0]!;
    scheduler.schedule(20);
    assert.deepEqual(scheduler.complete([], 30), []); // 8 of 10 prompt tokens
    scheduler.schedule(40);
    scheduler.complete([{ token: 7, logprobs: undefined }], 50);
    scheduler.schedule(60);
    const [last] = scheduler.complete([{ token: 8, logprobs: undefined }], 70);
    assert.equal(last?.finishReason, 'length');
    assert.deepEqual(sequence.times, {
      arrivalMicros: 10,
      admittedMicros: 20,
      firstTokenMicros: 50,
      lastTokenMicros: 70,
    });
  });

  test('a group that lost its memory gives every sequence back, and begins anew', () => {
    const scheduler = new Scheduler(OPTIONS);
    scheduler.add(makeRequest(3, 3), 0);
    scheduler.schedule(0);
    scheduler.add(makeRequest(3, 3), 0);
    assert.deepEqual(
      scheduler.cancelAll().map(({ id }) => id),
      [1, 2],
    );
    assert.deepEqual(
      [scheduler.usedBlocks, scheduler.runningCount, scheduler.waitingCount],
      [0, 0, 0],
    );
    assert.equal(scheduler.schedule(1), undefined);
    scheduler.add(makeRequest(3, 3), 2);
    assert.equal(scheduler.schedule(2)?.sequences[0]?.sequence.id, 3);
  });
});
