import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bus } from '../../services/bus/bus.ts';
import { makeRandom, writeHfCheckpoint } from '../support/checkpoint-files.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { FrameFaults } from './faulty-network.ts';

const REQUESTS = [
  { prompt: [3, 1, 4, 1, 5, 9, 2, 6], maxTokens: 4 },
  { prompt: [7, 2], maxTokens: 3 },
];

/** A bus whose frames between chips go through `carry`; what it returns is published. */
function wrapTransfers(bus: Bus, carry: (data: Uint8Array) => readonly Uint8Array[]): Bus {
  return {
    publish: (subject, data, options) => {
      const sent = subject.includes('.xfer.') ? carry(data) : [data];
      for (const message of sent) bus.publish(subject, message, options);
    },
    subscribe: (subject, handler, options) => bus.subscribe(subject, handler, options),
    newInbox: () => bus.newInbox(),
    flush: () => bus.flush(),
    onStatus: (listener) => bus.onStatus(listener),
    onForbidden: (listener) => bus.onForbidden(listener),
    close: () => bus.close(),
  };
}

suite('chips on a bus that damages frames', () => {
  test('ask again for what was lost, and come to the same tokens', async (t) => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model);
    const expected = await MemoryCluster.use({ model, tp: 1, kvBlocks: 16 }, (cluster) =>
      cluster.generateAll(REQUESTS),
    );
    const rates = { corrupt: 4, truncate: 3, replace: 0, duplicate: 8, delay: 0, drop: 3 };
    const faults = new FrameFaults(rates, makeRandom(3));
    const damage = (data: Uint8Array): Uint8Array[] =>
      faults.apply(data).map((arrival) => arrival.data);
    const options = {
      model,
      tp: 2,
      kvBlocks: 16,
      wrapBus: (bus: Bus) => wrapTransfers(bus, damage),
    };
    await MemoryCluster.use(options, async (cluster) => {
      assert.deepEqual(await cluster.generateAll(REQUESTS), expected);
      const counters = cluster.chips.map(({ chip }) => chip.meter.counters);
      assert.ok(counters.some(({ droppedFrames }) => droppedFrames > 0));
    });
  });

  test('requests outlast a chip that nobody hears for a time', async (t) => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model);
    let silent = false;
    const options = {
      model,
      tp: 2,
      kvBlocks: 16,
      stepTimeoutMicros: 300_000,
      wrapBus: (bus: Bus, rank: number) =>
        wrapTransfers(bus, (data) => (silent && rank === 1 ? [] : [data])),
    };
    await MemoryCluster.use(options, async (cluster) => {
      const expected = await cluster.generateAll(REQUESTS);
      silent = true;
      const generations = cluster.generateAll(REQUESTS);
      assert.match(
        await cluster.nextStepFailure(),
        /^step \d+ was not completed within 0.3 s: no report from chip \d/,
      );
      silent = false;
      assert.deepEqual(await generations, expected);
    });
  });
});
