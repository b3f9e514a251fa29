import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ConsoleState, STEP_POINTS } from '../../services/console/console-state.ts';
import { readEvents } from '../../services/console/event-reader.ts';
import type { StepsEvent } from '../../services/console/events.ts';
import { bytes, count, digits, duration, percent, shortId } from '../../services/console/format.ts';
import { RequestBook } from '../../services/console/request-book.ts';
import { makeEnd, makePart, makeSnapshot } from './made-telemetry.ts';

/** The event of one step that lasted from 10 ms before its time. */
function stepAt(endedMs: number, changes: Partial<StepsEvent> = {}): StepsEvent {
  const batch = changes.batch ?? [];
  const bar = { step: 1, epoch: 1, deviceSeconds: 0, mfu: 0, binds: '', prefillTokens: 0 };
  return {
    ...{ kind: 'steps', running: batch.length, waiting: 0, kvBlocksUsed: 0, kvBlocks: 1 },
    steps: [{ ...bar, beganMs: endedMs - 10, endedMs, decodeTokens: 0, sequences: batch.length }],
    ...{ batch, preemptions: 0, ended: [], lost: 0 },
    ...changes,
  };
}

test('events are the same however the stream is cut', async () => {
  const event = fc.string().map((text) => JSON.stringify({ text, more: '…é\u{1f600}' }));
  await fc.assert(
    fc.asyncProperty(fc.array(event), fc.nat({ max: 30 }), async (events, size) => {
      const stream = new TextEncoder().encode(events.map((data) => `data: ${data}\n\n`).join(''));
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < stream.length; at += size + 1) {
            controller.enqueue(stream.slice(at, at + size + 1));
          }
          controller.close();
        },
      });
      const read: string[] = [];
      for await (const data of readEvents(body)) read.push(data);
      assert.deepEqual(read, events);
    }),
  );
});

suite('the book of requests', () => {
  test('follows one from its first step to its end, and takes its exact times there', () => {
    const book = new RequestBook();
    const prefill = makePart('a', { phase: 'prefill', tokens: 8, start: 0, sampled: false });
    book.take(stepAt(1010, { batch: [prefill] }));
    book.take(stepAt(1020, { batch: [{ ...prefill, start: 8, sampled: true }] }));
    book.take(stepAt(1030, { batch: [makePart('a')] }));
    const [row] = book.rows;
    assert.deepEqual(
      [row!.firstMs, row!.firstTokenMs, row!.lastMs, row!.isOpen, row!.phase],
      [1000, 1020, 1030, true, 'decode'],
    );
    const end = makeEnd('a', { arrivedMs: 900 });
    book.take(stepAt(1040, { batch: [makePart('a')], ended: [end] }));
    assert.deepEqual([row!.isOpen, row!.ended, row!.pauses], [false, end, []]);
  });

  test('notes when one that runs is out of the batch', () => {
    const book = new RequestBook();
    const both = [makePart('a'), makePart('b')];
    book.take(stepAt(1010, { batch: both }));
    book.take(stepAt(1020, { batch: [makePart('b')] }));
    book.take(stepAt(1030, { batch: [makePart('b')] }));
    book.take(stepAt(1040, { batch: both }));
    assert.deepEqual(
      book.rows.map(({ requestId, pauses }) => [requestId, pauses]),
      [
        ['a', [{ fromMs: 1010, toMs: 1030 }]],
        ['b', []],
      ],
    );
  });

  test('does not take a batch that was cut off for one that lacks somebody', () => {
    const book = new RequestBook();
    book.take(stepAt(1010, { batch: [makePart('a'), makePart('b')] }));
    const event = stepAt(1020, { batch: [makePart('a')] });
    book.take({ ...event, steps: [{ ...event.steps[0]!, sequences: 2 }] });
    assert.ok(book.rows.every(({ pauses }) => pauses.length === 0));
  });

  test('has a bound', () => {
    const book = new RequestBook();
    for (let i = 0; i < 500; i++) book.take(stepAt(i, { ended: [makeEnd(`r${i}`)] }));
    assert.equal(book.rows.length, 200);
    assert.equal(book.rows.at(-1)!.requestId, 'r499');
  });
});

suite('what the console knows', () => {
  test('is bounded, and empty when nothing runs', () => {
    const state = new ConsoleState();
    state.take({ kind: 'snapshot', snapshot: makeSnapshot(), engines: 1 });
    for (let i = 0; i < 300; i++) state.take(stepAt(i, { batch: [makePart('a')] }));
    assert.equal(state.steps.length, STEP_POINTS);
    assert.equal(state.batch.length, 1);
    const { load } = makeSnapshot();
    const idle = makeSnapshot({ load: { ...load, running: 0, waiting: 0 } });
    state.take({ kind: 'snapshot', snapshot: idle, engines: 1 });
    assert.deepEqual([state.batch, state.requests.rows[0]!.isOpen], [[], false]);
  });

  test('tells of another epoch, a lost chip, dropped frames and a new start', () => {
    const state = new ConsoleState();
    const snapshot = makeSnapshot();
    const take = (changes: Partial<typeof snapshot>) =>
      state.take({ kind: 'snapshot', snapshot: { ...snapshot, ...changes }, engines: 1 });
    const newest = () => state.journal.entries[0]!.text;
    take({});
    assert.equal(newest(), 'connected');
    take({ epoch: 4 });
    assert.match(newest(), /epoch 3 → 4/);
    take({ epoch: 4, state: 'recovering' });
    assert.match(newest(), /is recovering/);
    const chips = [{ ...snapshot.chips[0]!, droppedFrames: 8 }, snapshot.chips[1]!];
    take({ epoch: 4, state: 'recovering', chips });
    assert.match(newest(), /^3 frames/);
    const joining = chips.map((chip) => ({ ...chip, state: 'joining' as const }));
    take({ epoch: 4, state: 'recovering', chips: joining });
    assert.match(newest(), /^0 of 2 chips/);
    state.take({ kind: 'away', message: 'gone' });
    assert.match(newest(), /away: gone/);
    take({ uptimeMs: 1 });
    assert.ok(state.journal.entries.some(({ text }) => text === 'the engine was started anew'));
    assert.equal(state.link, 'live');
  });

  test('counts what failed and what it did not see', () => {
    const state = new ConsoleState();
    state.take(stepAt(1, { lost: 3, ended: [makeEnd('a', { reason: 'error' }), makeEnd('b')] }));
    state.take({ kind: 'lost', steps: 4 });
    state.take(stepAt(2, { preemptions: 1 }));
    state.take(stepAt(3, { preemptions: 2 }));
    assert.deepEqual([state.failed, state.lost], [1, 7]);
    assert.deepEqual(
      state.journal.entries.map(({ text }) => text),
      ['3 preemptions'],
    );
  });
});

test('figures have their units', () => {
  assert.deepEqual([0, 0.0004, 9.994, 999, 12_345, 1e6, 777e9].map(count), [
    ...['0', '<0.001', '9.99', '999', '12.3 k', '1.00 M', '777 G'],
  ]);
  assert.deepEqual([0, 12, 688_000, 144e9].map(bytes), ['0 B', '12 B', '688 kB', '144 GB']);
  assert.deepEqual([0, 1e-6, 0.00003, 0.991, 1].map(percent), [
    ...['0 %', '<0.001 %', '0.003 %', '99.1 %', '100 %'],
  ]);
  assert.deepEqual([0, 0.118, 15.14, 3560, 65_000, 3_661_000].map(duration), [
    ...['0 ms', '118 µs', '15.1 ms', '3.56 s', '1 min 5 s', '1 h 1 min'],
  ]);
  assert.equal(digits(Number.NaN), '–');
  assert.equal(shortId('cmpl-0123456789abcdef0123', 2), '012345…0123 #2');
  assert.equal(shortId('mine', 0), 'mine');
});
