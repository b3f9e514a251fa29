import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KvEvent } from '../../services/core/kv/kv-events.ts';
import type { KvEventBatch } from '../../services/rpc/inference-types.ts';
import { KvEventLog } from '../../services/runtime/coordinator/kv-event-log.ts';

const NEVER = new AbortController().signal;

function removed(block: number): readonly KvEvent[] {
  return [{ kind: 'blockRemoved', hashes: [{ high: 0, low: block }] }];
}

/** A log of batches that remove '0', '1', ... */
function makeLog(count: number, options = {}): KvEventLog {
  const log = new KvEventLog(options);
  for (let i = 0; i < count; i++) log.append(removed(i));
  return log;
}

async function take(batches: AsyncIterable<KvEventBatch>, count: number): Promise<KvEventBatch[]> {
  const taken: KvEventBatch[] = [];
  for await (const batch of batches) if (taken.push(batch) === count) break;
  return taken;
}

const numbersOf = (batches: readonly KvEventBatch[]): number[] =>
  batches.map(({ sequenceNumber }) => sequenceNumber);

suite('the log of KV events', () => {
  test('replays from a number, and goes on with what comes', async () => {
    const log = makeLog(5);
    const reading = take(log.read(3, NEVER), 4);
    for (const block of [5, 6]) log.append(removed(block));
    const batches = await reading;
    assert.deepEqual(numbersOf(batches), [3, 4, 5, 6]);
    assert.deepEqual(
      batches.map(({ events }) => events),
      [3, 4, 5, 6].map((block) => [{ kind: 'blockRemoved', hashes: [`000000000000000${block}`] }]),
    );
  });

  test('begins with the next batch where no number is given', async () => {
    const log = makeLog(5);
    const reading = take(log.read(undefined, NEVER), 1);
    log.append(removed(5));
    assert.deepEqual(numbersOf(await reading), [5]);
  });

  test('counts no batch without events', async () => {
    const log = makeLog(1);
    log.append([]);
    log.append(removed(1));
    assert.deepEqual(numbersOf(await take(log.read(0, NEVER), 2)), [0, 1]);
  });

  test('keeps fewer where they name many tokens', async () => {
    const log = new KvEventLog();
    const tokens = new Array<number>(500_000).fill(1);
    const hashes = [{ high: 0, low: 1 }];
    for (let i = 0; i < 10; i++) {
      log.append([{ kind: 'blockStored', hashes, parentHash: undefined, tokens, blockSize: 16 }]);
    }
    assert.deepEqual(numbersOf(await take(log.read(6, NEVER), 4)), [6, 7, 8, 9]);
    await assert.rejects(take(log.read(5, NEVER), 1), /must be from 6/);
  });

  test('keeps 10,000 batches, and refuses a number that it does not have', async () => {
    const log = makeLog(10_007);
    const whole = numbersOf(await take(log.read(7, NEVER), 10_000));
    assert.deepEqual(
      whole,
      Array.from({ length: 10_000 }, (_, i) => i + 7),
    );
    for (const wanted of [6, 10_008, -1, 7.5, Number.NaN]) {
      await assert.rejects(take(log.read(wanted, NEVER), 1), {
        code: 'OUT_OF_RANGE',
        message: /from 7, .+ to 10007/,
      });
    }
  });

  test('tells a reader that fell behind', async () => {
    const log = makeLog(2, { capacity: 4 });
    const reader = log.read(0, NEVER)[Symbol.asyncIterator]();
    assert.equal((await reader.next()).value?.sequenceNumber, 0);
    for (let i = 2; i < 6; i++) log.append(removed(i));
    await assert.rejects(reader.next(), { code: 'OUT_OF_RANGE' });
  });

  test('lets go of a reader whose signal fires, and of no other', async () => {
    const log = makeLog(0);
    const controller = new AbortController();
    const left = take(log.read(0, controller.signal), 1);
    const staying = take(log.read(0, NEVER), 1);
    controller.abort();
    await assert.rejects(left, { code: 'CANCELLED' });
    log.append(removed(0));
    assert.deepEqual(numbersOf(await staying), [0]);
  });
});
