import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { SchedulerBench } from '../support/scheduler-bench.ts';

suite('the rules of continuous batching', () => {
  test('running sequences come first, in the order of admission, then waiting ones', () => {
    const bench = new SchedulerBench({ maxNumBatchedTokens: 8 });
    bench.add({ prompt: 4 });
    bench.add({ prompt: 4 });
    assert.deepEqual(bench.step(), [
      [1, 0, 4],
      [2, 0, 4],
    ]);
    bench.add({ prompt: 4 });
    assert.deepEqual(bench.step(), [
      [1, 4, 1],
      [2, 4, 1],
      [3, 0, 4],
    ]);
  });

  test('a long prompt is computed in chunks beside the tokens of others', () => {
    const bench = new SchedulerBench({ maxNumBatchedTokens: 6 });
    bench.add({ prompt: 3 });
    bench.add({ prompt: 10 });
    assert.deepEqual(bench.step(), [
      [1, 0, 3],
      [2, 0, 3],
    ]);
    assert.deepEqual(bench.step(), [
      [1, 3, 1],
      [2, 3, 5],
    ]);
    assert.deepEqual(bench.step(), [
      [1, 4, 1],
      [2, 8, 2],
    ]);
  });

  test('long_prefill_token_threshold bounds the chunk of one sequence', () => {
    const bench = new SchedulerBench({ maxNumBatchedTokens: 20, longPrefillTokenThreshold: 6 });
    bench.add({ prompt: 10 });
    bench.add({ prompt: 10 });
    assert.deepEqual(bench.step(), [
      [1, 0, 6],
      [2, 0, 6],
    ]);
    assert.deepEqual(bench.step(), [
      [1, 6, 4],
      [2, 6, 4],
    ]);
  });

  test('no more than max_num_seqs run', () => {
    const bench = new SchedulerBench({ maxNumSeqs: 2 });
    for (let i = 0; i < 3; i++) bench.add({ maxTokens: 2 });
    assert.equal(bench.step().length, 2);
    assert.equal(bench.step().length, 2);
    assert.deepEqual(bench.step(), [[3, 0, 4]]);
  });

  test('who does not fit is not overtaken', () => {
    const bench = new SchedulerBench({ kvBlocks: 4 });
    bench.add({ prompt: 7, maxTokens: 2 });
    bench.add({ prompt: 12, maxTokens: 1 });
    bench.add({ prompt: 1, maxTokens: 1 });
    assert.deepEqual(bench.step(), [[1, 0, 7]]);
    assert.deepEqual(bench.step(), [[1, 7, 1]]);
    assert.deepEqual(bench.step(), [
      [2, 0, 12],
      [3, 0, 1],
    ]);
  });

  test('the last admitted gives way, is computed anew, and comes first among those who wait', () => {
    const bench = new SchedulerBench({ kvBlocks: 4 });
    const first = bench.add({ prompt: 8, maxTokens: 6 });
    const second = bench.add({ prompt: 8, maxTokens: 6 });
    const third = bench.add({ prompt: 4, maxTokens: 2 });
    bench.step();
    const step = bench.schedule();
    assert.deepEqual(
      step.sequences.map(({ sequence }) => sequence.id),
      [first.id],
      'its blocks were taken, and nobody was admitted in their place',
    );
    assert.deepEqual(step.released, [second.id]);
    bench.complete(step);
    assert.equal(second.preemptions, 1);
    assert.deepEqual([second.state, third.state], ['waiting', 'waiting']);
    while (first.state === 'running') bench.step();
    const again = bench.schedule();
    const [part, other] = again.sequences;
    assert.equal(part?.sequence, second);
    assert.equal(other?.sequence, third);
    assert.ok(part.admitted);
    assert.equal(second.tokens.length, 9, 'it kept what it had generated');
  });

  test('by priority the least important gives way, though it ran first', () => {
    const bench = new SchedulerBench({ kvBlocks: 4, schedulingPolicy: 'priority' });
    const low = bench.add({ prompt: 6, maxTokens: 6, priority: 5 });
    bench.step();
    const high = bench.add({ prompt: 8, maxTokens: 6, priority: -5 });
    bench.step();
    bench.step();
    assert.deepEqual([low.preemptions, high.preemptions], [1, 0]);
    const middle = bench.add({ prompt: 4, maxTokens: 2, priority: 0 });
    while (high.state !== 'ended') bench.step();
    const { sequences } = bench.schedule();
    assert.deepEqual(
      sequences.map(({ sequence }) => sequence),
      [middle, low],
    );
  });

  test('who runs after a victim that stood before it in order misses no step', () => {
    const bench = new SchedulerBench({ kvBlocks: 6, schedulingPolicy: 'priority' });
    const low = bench.add({ prompt: 6, maxTokens: 9, priority: 5 });
    bench.step();
    const high = bench.add({ prompt: 8, maxTokens: 6, priority: -5 });
    const middle = bench.add({ prompt: 7, maxTokens: 6, priority: 0 });
    bench.step();
    const { sequences } = bench.schedule();
    assert.equal(low.preemptions, 1, 'for the third block of the second in order');
    assert.deepEqual(
      sequences.map(({ sequence }) => sequence),
      [high, middle],
    );
  });

  test('a victim that was already scheduled gives its tokens back to who comes after', () => {
    const bench = new SchedulerBench({
      ...{ kvBlocks: 10, maxNumBatchedTokens: 8, longPrefillTokenThreshold: 6 },
      schedulingPolicy: 'priority',
    });
    const low = bench.add({ prompt: 36, maxTokens: 2, priority: 5 });
    bench.step();
    const high = bench.add({ prompt: 2, maxTokens: 9, priority: -5 });
    bench.step();
    const middle = bench.add({ prompt: 20, maxTokens: 2, priority: 0 });
    bench.step();
    assert.deepEqual(bench.step(), [
      [low.id, 18, 6],
      [high.id, 3, 1],
      [middle.id, 1, 1],
    ]);
    assert.deepEqual(bench.step(), [
      [high.id, 4, 1],
      [middle.id, 2, 6],
    ]);
    assert.equal(low.preemptions, 1);
  });

  test('a prefix that others hold takes no free block', () => {
    const bench = new SchedulerBench({ kvBlocks: 4 });
    const promptTokens = [1, 2, 3, 4, 5, 6, 7, 8];
    bench.add({ promptTokens, maxTokens: 4 });
    bench.step();
    const longer = bench.add({ promptTokens: [...promptTokens, 9], maxTokens: 1 });
    assert.deepEqual(bench.step().at(-1), [longer.id, 8, 1], 'with one block of four');
  });

  test('guaranteed_no_evict admits only whom it can serve to the end', () => {
    const bench = new SchedulerBench({
      kvBlocks: 4,
      capacitySchedulerPolicy: 'guaranteed_no_evict',
    });
    const first = bench.add({ prompt: 4, maxTokens: 9 }); // three blocks at its longest
    const second = bench.add({ prompt: 4, maxTokens: 2 }); // two
    assert.deepEqual(bench.step(), [[first.id, 0, 4]]);
    while (first.state !== 'ended') bench.step();
    assert.deepEqual(bench.step(), [[second.id, 0, 4]]);
    assert.equal(bench.scheduler.stats.preemptions, 0);
  });

  test('the watermark is left free, unless nobody runs', () => {
    const bench = new SchedulerBench({ kvBlocks: 4, watermark: 0.5 });
    bench.add({ prompt: 8, maxTokens: 3 });
    bench.add({ prompt: 4, maxTokens: 3 });
    assert.deepEqual(bench.step(), [[1, 0, 8]]);
    const wide = new SchedulerBench({ kvBlocks: 4, watermark: 0.5 });
    wide.add({ prompt: 15, maxTokens: 1 });
    assert.deepEqual(wide.step(), [[1, 0, 15]]);
  });

  test('a cached prefix is skipped in whole blocks, and one token is left to sample from', () => {
    const bench = new SchedulerBench({});
    const promptTokens = [1, 2, 3, 4, 5, 6, 7, 8];
    bench.add({ promptTokens, maxTokens: 1 });
    bench.step();
    const same = bench.add({ promptTokens, maxTokens: 1 });
    const longer = bench.add({ promptTokens: [...promptTokens, 9], maxTokens: 1 });
    const other = bench.add({ promptTokens: [1, 2, 3, 4, 9, 9], maxTokens: 1 });
    assert.deepEqual(bench.step(), [
      [2, 4, 4],
      [3, 8, 1],
      [4, 4, 2],
    ]);
    assert.deepEqual(
      [same, longer, other].map(({ cachedTokens }) => cachedTokens),
      [4, 8, 4],
    );
  });

  test('a salt keeps prefixes apart, and without prefix caching nothing is shared', () => {
    const promptTokens = [1, 2, 3, 4, 5];
    const bench = new SchedulerBench({});
    for (const cacheSalt of ['', 'a', 'b', 'a']) {
      bench.add({ promptTokens, maxTokens: 1, cacheSalt });
    }
    assert.deepEqual(
      bench.step().map(([, start]) => start),
      [0, 0, 0, 4],
    );
    const plain = new SchedulerBench({ enablePrefixCaching: false });
    for (let i = 0; i < 2; i++) plain.add({ promptTokens, maxTokens: 1 });
    assert.deepEqual(
      plain.step().map(([, start]) => start),
      [0, 0],
    );
  });

  test('parallel samples share the blocks of their prompt within the first step', () => {
    const bench = new SchedulerBench({});
    bench.add({ promptTokens: [1, 2, 3, 4, 5, 6], maxTokens: 4, n: 3 });
    assert.deepEqual(bench.step(), [
      [1, 0, 6],
      [2, 4, 2],
      [3, 4, 2],
    ]);
    assert.equal(bench.scheduler.usedBlocks, 4, 'one block is shared, and each has one of its own');
  });

  test('a group that lost its memory takes up who ran, in order and before all others', () => {
    const bench = new SchedulerBench({ maxNumSeqs: 3 });
    const ran = [bench.add({}), bench.add({}), bench.add({})];
    const late = bench.add({});
    bench.step();
    bench.scheduler.loseMemory();
    const { sequences } = bench.schedule();
    assert.deepEqual(
      sequences.map(({ sequence, start, count }) => [sequence, start, count]),
      ran.map((sequence) => [sequence, 0, 5]),
    );
    assert.equal(late.state, 'waiting');
  });

  test('a cancelled sequence holds nothing, and a token that was under way does not end it', () => {
    const bench = new SchedulerBench({});
    const waiting = bench.add({ maxTokens: 1 });
    bench.scheduler.cancel(waiting);
    bench.scheduler.cancel(waiting);
    assert.equal(bench.scheduler.schedule(0), undefined);
    const running = bench.add({ maxTokens: 1 });
    const step = bench.schedule();
    bench.scheduler.cancel(running);
    assert.equal(bench.scheduler.usedBlocks, 0, 'before the step is complete');
    const outputs = bench.scheduler.complete([{ token: 1, logprobs: undefined }], 9);
    assert.deepEqual(outputs, [], 'the natural end came too late');
    assert.equal(step.sequences.length, 1);
    bench.scheduler.cancel(running);
    bench.add({ maxTokens: 1 });
    assert.deepEqual(bench.schedule().released, [running.id], 'the chips forget it');
  });

  test('min_tokens outlasts stop tokens, ignore_eos only the model’s own', () => {
    const bench = new SchedulerBench({ stopTokenIds: [2] });
    const patient = bench.add({ maxTokens: 9, minTokens: 2 });
    const deaf = bench.add({ maxTokens: 4, ignoreEos: true });
    const picky = bench.add({ maxTokens: 4, ignoreEos: true, stopTokenIds: [2] });
    bench.step(2);
    assert.deepEqual(
      [patient, deaf, picky].map(({ state }) => state),
      ['running', 'running', 'ended'],
    );
    bench.step(2);
    bench.step(2);
    assert.deepEqual([patient.state, deaf.state], ['ended', 'running']);
    bench.step(2);
    assert.equal(deaf.state, 'ended');
  });

  test('before min_tokens no stop token is drawn, not even one that ignore_eos passes', () => {
    const bench = new SchedulerBench({ stopTokenIds: [2] });
    const stop = { minTokens: 2, stopTokenIds: [5] };
    for (const ignoreEos of [true, false]) {
      const { stopTokenIds, maskedTokenIds } = bench.add({ ...stop, ignoreEos });
      assert.deepEqual(stopTokenIds, ignoreEos ? [5] : [2, 5]);
      assert.deepEqual(maskedTokenIds, [2, 5]);
    }
  });

  test('prompt tokens that wait are bounded, those that are computed do not count', () => {
    const bench = new SchedulerBench({ maxNumQueuedTokens: 10, maxNumBatchedTokens: 6 });
    bench.add({ prompt: 8 });
    const request = makeGenerationRequest({ promptTokens: [1, 2, 3] });
    assert.deepEqual(bench.scheduler.add(request, 0), {
      kind: 'rejected',
      reason: 'full',
      message: 'the queue is full: 8 prompt tokens wait, and at most 10 may; try again later',
    });
    bench.step();
    assert.equal(bench.scheduler.add(request, 0).kind, 'queued');
    const large = makeGenerationRequest({ promptTokens: new Array<number>(11).fill(1) });
    const refusal = bench.scheduler.add(large, 0);
    assert.ok(refusal.kind === 'rejected' && refusal.reason === 'invalid');
  });

  test('time spent before the first token counts from the last admission, later not', () => {
    const bench = new SchedulerBench({ kvBlocks: 4, maxNumBatchedTokens: 12 });
    bench.add({ prompt: 7, maxTokens: 6 });
    const chunked = bench.add({ prompt: 11, maxTokens: 1 });
    bench.step();
    const admitted = chunked.times.admittedMicros!;
    bench.step();
    bench.step();
    assert.equal(chunked.preemptions, 1, 'preempted within its prompt');
    while (chunked.state !== 'ended') bench.step();
    assert.ok(chunked.times.admittedMicros! > admitted);
    assert.ok(chunked.times.firstTokenMicros! > chunked.times.admittedMicros!);
  });

  test('a preemption after the first token counts as decoding', () => {
    const bench = new SchedulerBench({ kvBlocks: 4 });
    const first = bench.add({ prompt: 8, maxTokens: 6 });
    const second = bench.add({ prompt: 8, maxTokens: 6 });
    bench.step();
    const { admittedMicros, firstTokenMicros } = second.times;
    bench.step();
    assert.equal(second.preemptions, 1);
    while (second.state !== 'ended') bench.step();
    assert.equal(first.state, 'ended');
    assert.deepEqual(
      [second.times.admittedMicros, second.times.firstTokenMicros],
      [admittedMicros, firstTokenMicros],
    );
  });

  test('only a first admission counts for the prefix cache, however often one is admitted', () => {
    const bench = new SchedulerBench({ kvBlocks: 4, maxNumBatchedTokens: 12 });
    bench.add({ prompt: 7, maxTokens: 6 });
    const chunked = bench.add({ prompt: 11, maxTokens: 5 });
    while (chunked.state !== 'ended') bench.step();
    assert.ok(chunked.preemptions > 0);
    assert.equal(chunked.cachedTokens, 0, 'what it found again of its own is no hit');
    const { prefixCacheQueries, prefixCacheHits } = bench.scheduler.stats;
    assert.deepEqual([prefixCacheQueries, prefixCacheHits], [7 + 11, 0]);
  });

  test('guaranteed_no_evict keeps free what is missing, not what is there', () => {
    const bench = new SchedulerBench({
      kvBlocks: 5,
      capacitySchedulerPolicy: 'guaranteed_no_evict',
    });
    bench.add({ prompt: 8, maxTokens: 5 }); // three blocks at its longest
    bench.add({ prompt: 4, maxTokens: 5 }); // two
    assert.equal(bench.step().length, 2, 'all five blocks are promised in one step');
    const late = new SchedulerBench({
      kvBlocks: 5,
      capacitySchedulerPolicy: 'guaranteed_no_evict',
    });
    late.add({ prompt: 8, maxTokens: 5 });
    late.step();
    late.add({ prompt: 4, maxTokens: 5 });
    assert.equal(late.step().length, 2, 'or in two');
  });
});
