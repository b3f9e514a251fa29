import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { StepCompleted } from '../../services/cluster/coordinator-effects.ts';
import type { StepPrice } from '../../services/core/timing/step-price.ts';
import { LossyQueue } from '../../services/runtime/telemetry/lossy-queue.ts';
import { StepFeed } from '../../services/runtime/telemetry/step-feed.ts';
import { StepWindow } from '../../services/runtime/telemetry/step-window.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makeSequence, scheduleTokens } from '../support/scheduled-sequence.ts';

const NEVER = new AbortController().signal;

const CONTEXT = {
  running: 1,
  waiting: 0,
  kvBlocksUsed: 2,
  kvBlocks: 4,
  preemptions: 0,
  deviceBeganSeconds: 0,
};

const NO_COUNTS = { prefills: 0, prefillTokens: 0, promptTokens: 0, sampled: 0 };

function makePrice(changes: Partial<StepPrice>): StepPrice {
  return {
    seconds: 1e-3,
    intervalSeconds: 1e-3,
    breakdown: { computeSeconds: 1e-3, memorySeconds: 0, collectiveSeconds: 0, overheadSeconds: 0 },
    binds: 'compute',
    hiddenCollectiveSeconds: 0,
    flops: 1,
    memoryBytes: 1,
    linkBytes: 1,
    mfu: 0,
    hbmUtilization: 0,
    linkUtilization: 0,
    energyJoules: { low: 0, high: 0 },
    ...changes,
  };
}

function makeStep(changes: Partial<StepCompleted> = {}): StepCompleted {
  return {
    kind: 'stepCompleted',
    epoch: 1,
    step: 1,
    tokens: 0,
    sequences: 0,
    parts: [],
    beganMicros: 0,
    durationMicros: 1000,
    skewMicros: 0,
    shape: undefined,
    price: undefined,
    times: [],
    ...changes,
  };
}

suite('the window of an engine’s last steps', () => {
  test('is the mean of what ran in it, and forgets what is older', () => {
    const spans = fc.array(
      fc.record({
        idleMicros: fc.nat({ max: 800_000 }),
        durationMicros: fc.integer({ min: 1, max: 400_000 }),
        mfu: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    const property = fc.property(spans, fc.nat({ max: 3_000_000 }), (steps, restMicros) => {
      const window = new StepWindow(0);
      const ran: { readonly endMicros: number; readonly micros: number; readonly mfu: number }[] =
        [];
      let now = 0;
      for (const { idleMicros, durationMicros, mfu } of steps) {
        const beganMicros = now + idleMicros;
        now = beganMicros + durationMicros;
        window.add({
          ...makeStep({ beganMicros, durationMicros, price: makePrice({ mfu }) }),
          ...NO_COUNTS,
        });
        ran.push({ endMicros: now, micros: durationMicros, mfu });
      }
      now += restMicros;
      const means = window.means(now);
      const from = Math.max(0, (Math.floor(now / 250_000) - 7) * 250_000);
      const recent = ran.filter(({ endMicros }) => endMicros >= from);
      assert.equal(means.totals.steps, recent.length);
      const busyMicros = recent.reduce((sum, { micros }) => sum + micros, 0);
      const windowMicros = Math.max(1, now - from, busyMicros);
      const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-9, `${a} ${b}`);
      near(means.busy, busyMicros / windowMicros);
      near(means.mfu, recent.reduce((sum, it) => sum + it.mfu * it.micros, 0) / windowMicros);
      assert.ok(means.busy <= 1);
    });
    fc.assert(property);
  });
});

suite('a lossy queue', () => {
  test('gives a slow reader the newest, in order, and the number of those it lost', async () => {
    const batches = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 12 });
    const property = fc.asyncProperty(batches, async (sizes) => {
      const queue = new LossyQueue<number>(4);
      const reader = queue.read(new AbortController().signal);
      let pushed = 0;
      let next = 0;
      for (const size of sizes) {
        for (let index = 0; index < size; index++) queue.push(pushed++);
        if (next === pushed) continue;
        const { value } = await reader.next();
        next += value!.lost;
        assert.equal(value!.value, next++);
      }
      await reader.return();
    });
    await fc.assert(property);
  });

  test('ends a reader that waits when its signal fires, and no other', async () => {
    const queue = new LossyQueue<number>(4);
    const stop = new AbortController();
    const waiting = queue.read(stop.signal).next();
    stop.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
  });
});

suite('the feed of steps', () => {
  test('costs nothing while nobody watches, and asks for detail while somebody wants it', async () => {
    const wanted: boolean[] = [];
    const feed = new StepFeed((isWanted) => wanted.push(isWanted));
    feed.publish(makeStep(), () => CONTEXT);
    const plain = feed.watch({ detail: false }, NEVER);
    const detailed = feed.watch({ detail: true }, NEVER);
    const records = [plain.next(), detailed.next()];
    assert.deepEqual(wanted, [false, true]);
    const times = {
      ...{ beganMicros: 1, endedMicros: 2, tokens: 1, computeMicros: 1, communicationMicros: 0 },
      ...{ segments: [], exchanges: [] },
    };
    const sequence = makeSequence({ request: makeGenerationRequest({ promptTokens: [1, 2] }) });
    const parts = [scheduleTokens(sequence, { start: 0, end: 2, admitted: true })];
    feed.publish(makeStep({ step: 2, times: [times], parts }), () => CONTEXT);
    const [brief, whole] = await Promise.all(records);
    assert.equal(brief!.value!.step, 2);
    assert.equal(brief!.value!.sequences.length, 1);
    assert.deepEqual(brief!.value!.chips, []);
    assert.deepEqual(whole!.value!.chips, [times]);
    await detailed.return();
    assert.equal(wanted.at(-1), false);
    assert.ok(feed.isWatched);
    await plain.return();
    assert.ok(!feed.isWatched);
  });
});
