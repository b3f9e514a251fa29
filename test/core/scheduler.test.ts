import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { SchedulerOptions } from '../../services/core/scheduler/options.ts';
import type { GenerationRequest } from '../../services/core/scheduler/request.ts';
import { Scheduler } from '../../services/core/scheduler/scheduler.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';
import { SchedulerModel } from './scheduler-model.ts';

const OPTIONS = makeSchedulerOptions({
  maxNumSeqs: 2,
  maxNumBatchedTokens: 8,
  maxNumQueuedReqs: 2,
  maxModelLen: 20,
  blockSize: 4,
  kvBlocks: 5,
  stopTokenIds: [1],
});

function makeRequest(promptLength: number, maxTokens: number): GenerationRequest {
  const promptTokens = Array.from({ length: promptLength }, () => 5);
  return makeGenerationRequest({ promptTokens, maxTokens });
}

const arbitraryOptions: fc.Arbitrary<SchedulerOptions> = fc
  .record({
    maxNumSeqs: fc.integer({ min: 1, max: 6 }),
    maxNumBatchedTokens: fc.integer({ min: 1, max: 40 }),
    longPrefillTokenThreshold: fc.constantFrom(0, 1, 7),
    schedulingPolicy: fc.constantFrom('fcfs', 'priority', 'fair'),
    capacitySchedulerPolicy: fc.constantFrom('max_utilization', 'guaranteed_no_evict'),
    watermark: fc.constantFrom(0, 0, 0.3),
    enablePrefixCaching: fc.boolean(),
    maxNumQueuedReqs: fc.integer({ min: 1, max: 24 }),
    maxNumQueuedTokens: fc.constantFrom(undefined, undefined, undefined, 40),
    maxModelLen: fc.integer({ min: 8, max: 40 }),
    blockSize: fc.constantFrom(1, 4, 4, 16),
    kvBlocks: fc.integer({ min: 3, max: 12 }),
    stopTokenIds: fc.constantFrom([], [], [0], [0, 3]),
  })
  .map((options) => makeSchedulerOptions(options as SchedulerOptions));

/** Few different tokens and mostly the same beginnings, so that prefixes are shared. */
const arbitraryPrompt = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((length) => new Array<number>(length).fill(2)),
  fc
    .tuple(fc.integer({ min: 0, max: 6 }), fc.array(fc.nat({ max: 2 }), { maxLength: 25 }))
    .map(([length, end]) => [...new Array<number>(length).fill(2), ...end]),
);

const arbitraryStep = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    promptTokens: arbitraryPrompt,
    maxTokens: fc.integer({ min: 0, max: 30 }),
    minTokens: fc.constantFrom(0, 0, 3),
    stopTokenIds: fc.constantFrom([], [4]),
    ignoreEos: fc.boolean(),
    n: fc.constantFrom(1, 1, 1, 2, 3),
    priority: fc.integer({ min: -1, max: 1 }),
    cacheSalt: fc.constantFrom('', '', 'salt'),
    clientId: fc.constantFrom('a', 'b', 'c'),
  }),
  fc.record({ kind: fc.constant('cancel' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('schedule' as const) }),
  fc.record({ kind: fc.constant('schedule' as const) }),
  fc.record({ kind: fc.constant('complete' as const), seed: fc.nat() }),
  fc.record({ kind: fc.constant('complete' as const), seed: fc.nat() }),
);

/** The chips lose their memory seldom. */
const arbitraryAction = fc.oneof(
  { weight: 40, arbitrary: arbitraryStep },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loseMemory' as const) }) },
);

suite('the scheduler', () => {
  test('keeps its limits, its order and its promises under any course of events', () => {
    let preemptions = 0;
    let hits = 0;
    const property = fc.property(
      arbitraryOptions,
      fc.array(arbitraryAction, { maxLength: 160, size: 'max' }),
      (options, actions) => {
        const model = new SchedulerModel(options);
        for (const action of actions) {
          if (action.kind === 'add') {
            const { kind: _, ...request } = action;
            model.add(request);
          } else if (action.kind === 'cancel') model.cancel(action.index);
          else if (action.kind === 'schedule') model.schedule();
          else if (action.kind === 'loseMemory') model.loseMemory();
          else model.complete(action.seed);
          model.check();
        }
        model.finish();
        preemptions += model.scheduler.stats.preemptions;
        hits += model.scheduler.stats.prefixCacheHits;
      },
    );
    fc.assert(property, { numRuns: 4000 });
    assert.ok(preemptions > 500 && hits > 5000, `${preemptions} preemptions, ${hits} tokens hit`);
  });

  test('what can never be served is refused with the reason', () => {
    const scheduler = new Scheduler(OPTIONS);
    const refusal = (prompt: number, maxTokens: number): unknown =>
      scheduler.add(makeRequest(prompt, maxTokens), 0);
    const invalid = (message: string) => ({ kind: 'rejected', reason: 'invalid', message });
    assert.deepEqual(refusal(0, 1), invalid('input must have at least one token'));
    assert.deepEqual(
      refusal(20, 1),
      invalid('input must have fewer tokens than the context length of 20, not 20'),
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
      invalid(
        'max_tokens must be lower: the request may need 3 KV blocks of 4 tokens, and the group has 2',
      ),
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
      message: 'the queue is full: 2 of at most 2 requests wait or run; try again later',
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
    assert.equal(sequence.previousTokenMicros, 50);
  });

  test('a group that lost its memory gives every sequence back, and begins anew', () => {
    const scheduler = new Scheduler(OPTIONS);
    scheduler.add(makeRequest(6, 3), 0);
    scheduler.schedule(0);
    scheduler.add(makeRequest(6, 3), 0);
    assert.deepEqual(
      scheduler.cancelAll().map(({ id }) => id),
      [1, 2],
    );
    assert.deepEqual(
      [scheduler.usedBlocks, scheduler.runningCount, scheduler.waitingCount],
      [0, 0, 0],
    );
    assert.equal(scheduler.schedule(1), undefined);
    scheduler.add(makeRequest(6, 3), 2);
    const [part] = scheduler.schedule(2)!.sequences;
    assert.equal(part?.sequence.id, 3);
    assert.equal(part.start, 0, 'what was computed before is lost');
  });
});
