import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { CapacityReport } from '../../services/sim/capacity/capacity-report.ts';
import { LoadHistory, type LoadPoint } from '../../services/sim/capacity/load-history.ts';
import type { PlacedStep } from '../../services/sim/capacity/simulate-capacity.ts';
import { simulateDrawn } from '../support/capacity.ts';
import { makePricer } from '../support/pricing.ts';

const KV_BLOCKS = 60_000;
const MOST_POINTS = 128;

function follow(options: Parameters<typeof simulateDrawn>[0], replicas: number) {
  const history = new LoadHistory({ replicas, kvBlocks: KV_BLOCKS });
  const steps: PlacedStep[] = [];
  const report = simulateDrawn({
    ...options,
    onStep: (step) => {
      steps.push(step);
      history.add(step);
    },
  });
  return { report, steps, points: history.points() };
}

/** Of a quantity over the whole run. */
function integral(points: readonly LoadPoint[], of: (point: LoadPoint) => number): number {
  let begin = 0;
  return points.reduce((sum, point) => {
    const seconds = point.endSeconds - begin;
    begin = point.endSeconds;
    return sum + of(point) * seconds;
  }, 0);
}

function assertNear(actual: number, expected: number): void {
  assert.ok(
    Math.abs(actual - expected) <= 1e-6 * Math.max(1e-9, Math.abs(expected)),
    `${actual}, not ${expected}`,
  );
}

function assertAddsUp(report: CapacityReport, points: readonly LoadPoint[]): void {
  assertNear(points.at(-1)!.endSeconds, report.seconds);
  assertNear(
    integral(points, ({ outputTokensPerSecond }) => outputTokensPerSecond),
    report.outputTokens,
  );
  assertNear(
    integral(points, ({ mfu }) => mfu),
    report.mfu * report.seconds,
  );
  assertNear(
    integral(points, (point) => point.hbmUtilization),
    report.hbmUtilization * report.seconds,
  );
  assertNear(
    integral(points, (point) => point.linkUtilization),
    report.linkUtilization * report.seconds,
  );
}

suite('load history', () => {
  test('adds up to what the report says, however long the run and wherever its idle times are', () => {
    const workloads = fc.record({
      requests: fc.integer({ min: 1, max: 60 }),
      requestRate: fc.constantFrom(0.2, 3, 50),
      outputTokens: fc.integer({ min: 1, max: 60 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(workloads, (workload) => {
        const { report, points, steps } = follow({ workload }, 1);
        assert.ok(points.length <= MOST_POINTS);
        assertAddsUp(report, points);
        // A single token of a prompt counts as decoding.
        const prompted = integral(points, (point) => point.inputTokensPerSecond);
        assert.ok(prompted <= report.inputTokens + 1e-3);
        assert.ok(prompted >= report.inputTokens - workload.requests - 1e-3);
        const ran = steps.reduce(
          (sum, { scheduled, beganMicros, endMicros }) =>
            sum + scheduled.sequences.length * (endMicros - beganMicros),
          0,
        );
        assertNear(
          integral(points, ({ running }) => running),
          ran / 1e6,
        );
      }),
      { numRuns: 20 },
    );
  });

  test('of several replicas and stages it is the sum of requests, and the mean of utilisations', () => {
    const pricer = makePricer({ layout: { tp: 2, pp: 2, ep: 1, dp: 2 } });
    const { report, points } = follow({ pricer, workload: { requests: 80, requestRate: 20 } }, 2);
    assertAddsUp(report, points);
  });

  test('requests that wait are seen', () => {
    const { points } = follow({ scheduler: { maxNumSeqs: 4 }, workload: { requests: 20 } }, 1);
    assert.ok(points[0]!.waiting > 10);
    assert.equal(points.at(-1)!.waiting, 0);
    assert.ok(points.every(({ kvUsage }) => kvUsage >= 0 && kvUsage <= 1));
  });
});
