import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ShardFrame } from '../../services/core/collectives/frame.ts';
import { LocalLinks } from '../../services/runtime/chip/local-links.ts';

function frameOf(step: number, payload: Uint8Array): ShardFrame {
  return {
    ...{ epoch: 1, step, exchange: 0, layer: 0, operation: 'step', kind: 'partial' },
    ...{ source: 0, chunk: 0, payload, modelledBytes: 7 },
  };
}

suite('links between chips of one process', () => {
  test('carry frames in order, after what the sender is at, and copy what it may use again', async () => {
    const links = new LocalLinks();
    const heard: (readonly [number, number])[] = [];
    links.attach(3, ({ step, payload }) => heard.push([step, payload[0]!]));
    const payload = Uint8Array.of(5);
    assert.equal(links.send(frameOf(1, payload), 3), true);
    payload[0] = 6;
    assert.equal(links.send(frameOf(2, payload), 3), true);
    assert.deepEqual(heard, []);
    await Promise.resolve();
    assert.deepEqual(heard, [
      [1, 5],
      [2, 6],
    ]);
  });

  test('deliver what an arrival sends', async () => {
    const links = new LocalLinks();
    const steps: number[] = [];
    links.attach(0, ({ step }) => {
      steps.push(step);
      if (step < 4) links.send(frameOf(step + 1, new Uint8Array(0)), 0);
    });
    links.send(frameOf(1, new Uint8Array(0)), 0);
    await new Promise(setImmediate);
    assert.deepEqual(steps, [1, 2, 3, 4]);
  });

  test('leave frames for seats of other processes, and of chips that are gone, to the broker', async () => {
    const links = new LocalLinks();
    const heard: number[] = [];
    const attached = links.attach(0, ({ step }) => heard.push(step));
    assert.equal(links.send(frameOf(1, new Uint8Array(0)), 1), false);
    links.send(frameOf(2, new Uint8Array(0)), 0);
    attached.unsubscribe();
    assert.equal(links.send(frameOf(3, new Uint8Array(0)), 0), false);
    await new Promise(setImmediate);
    assert.deepEqual(heard, []);
  });
});
