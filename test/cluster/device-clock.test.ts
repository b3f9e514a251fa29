import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { DeviceClock } from '../../services/cluster/device-clock.ts';
import type { Sequence } from '../../services/core/scheduler/request.ts';
import { Scheduler } from '../../services/core/scheduler/scheduler.ts';
import type { PlacedStep } from '../../services/sim/capacity/simulate-capacity.ts';
import { simulateDrawn } from '../support/capacity.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makePricer } from '../support/pricing.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';

const LIMITS = { maxNumSeqs: 8, maxNumBatchedTokens: 1024, maxModelLen: 4096, kvBlocks: 60_000 };

/** Serves equal requests that come together, on a clock that `lose` may disturb before a step. */
function serve(requests: number, lose: (step: number, scheduler: Scheduler) => boolean) {
  const scheduler = new Scheduler(makeSchedulerOptions(LIMITS));
  const clock = new DeviceClock(makePricer());
  const sequences: Sequence[] = [];
  for (let index = 0; index < requests; index++) {
    const promptTokens = Array.from({ length: 600 }, (_, position) => index * 1000 + position);
    const given = { promptTokens, maxTokens: 5, ignoreEos: true };
    const admission = scheduler.add(makeGenerationRequest(given), 0);
    assert.equal(admission.kind, 'queued');
    if (admission.kind === 'queued') sequences.push(...admission.sequences);
  }
  for (const sequence of sequences) clock.arrive(sequence, 0);
  let total = 0;
  for (let step = 1; ; step++) {
    const scheduled = scheduler.schedule(step);
    if (scheduled === undefined) break;
    clock.begin(scheduled, step);
    if (lose(step, scheduler)) {
      clock.abandon(step);
      continue;
    }
    total += clock.complete(step).price.seconds * 1e6;
    const drawn = scheduled.sequences.map(() => ({ token: 1, logprobs: undefined }));
    for (const { sequence } of scheduler.complete(drawn, step)) clock.draw(sequence);
  }
  return { total, times: sequences.map((sequence) => clock.draw(sequence)!) };
}

suite('the device clock', () => {
  test('tells of the same moments as the simulation of the same requests', () => {
    const steps: PlacedStep[] = [];
    const simulated = simulateDrawn({
      workload: { requests: 20, inputTokens: 600, outputTokens: 5 },
      scheduler: LIMITS,
      onStep: (step) => steps.push(step),
    });
    const { total, times } = serve(20, () => false);
    const near = (a: number, b: number): void => assert.ok(Math.abs(a / b - 1) < 1e-9, `${a} ${b}`);
    near(total, simulated.seconds * 1e6);
    const mean = times.reduce((sum, { firstTokenMicros }) => sum + firstTokenMicros!, 0) / 20;
    near(mean, simulated.latencies.ttft.mean * 1000);
    for (const { arrivalMicros, admittedMicros, firstTokenMicros, lastTokenMicros } of times) {
      const moments = [arrivalMicros, admittedMicros!, firstTokenMicros!, lastTokenMicros!];
      assert.deepEqual(
        moments,
        moments.toSorted((a, b) => a - b),
      );
    }
  });

  test('stands still for a step that is given up, and goes on with what is computed anew', () => {
    const whole = serve(4, () => false);
    const disturbed = serve(4, (step, scheduler) => {
      if (step !== 3) return false;
      scheduler.loseMemory();
      return true;
    });
    assert.ok(disturbed.total > whole.total);
    assert.equal(Math.max(...disturbed.times.map((it) => it.lastTokenMicros!)), disturbed.total);
  });
});
