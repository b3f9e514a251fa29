import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { StepOptions } from '../../services/core/timing/step-operators.ts';
import type { PlannedRequest } from '../../services/sim/capacity/planned-request.ts';
import { ROUTING_POLICIES } from '../../services/sim/capacity/routing.ts';
import type { PlacedStep } from '../../services/sim/capacity/simulate-capacity.ts';
import { simulateCapacity } from '../../services/sim/capacity/simulate-capacity.ts';
import { simulateDrawn } from '../support/capacity.ts';
import { makePricer, makeRates } from '../support/pricing.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';

const workloads = fc.record({
  requests: fc.integer({ min: 1, max: 60 }),
  requestRate: fc.constantFrom(2, 20, Number.POSITIVE_INFINITY),
  burstiness: fc.constantFrom(0.5, 1, 4),
  inputTokens: fc.integer({ min: 1, max: 3000 }),
  outputTokens: fc.integer({ min: 1, max: 60 }),
  lengths: fc.record({
    distribution: fc.constantFrom('fixed' as const, 'uniform' as const, 'lognormal' as const),
    spread: fc.constantFrom(0.2, 0.9),
  }),
  seed: fc.integer({ min: 0, max: 1000 }),
});

suite('a capacity simulation', () => {
  test('serves every request to its last token, and equal options give an equal report', () => {
    const property = fc.property(
      workloads,
      fc.constantFrom(1, 3, Number.POSITIVE_INFINITY),
      fc.constantFrom(...ROUTING_POLICIES),
      fc.constantFrom({ pp: 1, dp: 1 }, { pp: 2, dp: 1 }, { pp: 1, dp: 3 }, { pp: 4, dp: 2 }),
      (workload, maxConcurrency, routing, spread) => {
        const pricer = makePricer({ layout: { tp: 8, ep: 1, ...spread } });
        const run = () => simulateDrawn({ pricer, workload, maxConcurrency, routing });
        const report = run();
        assert.equal(report.completed + report.invalid + report.refusedWhenFull, workload.requests);
        assert.equal(report.latencies.ttft.exact, true);
        assert.ok(report.mostOpenRequests <= Math.min(maxConcurrency, workload.requests));
        const { ttft, e2el, itl } = report.latencies;
        assert.ok(report.completed === 0 || ttft.mean > 0);
        assert.ok(e2el.mean >= ttft.mean);
        const gaps = report.outputTokens - report.completed;
        const waited = (e2el.mean - ttft.mean) * report.completed;
        assert.ok(Math.abs(itl.mean * gaps - waited) <= 1e-6 * waited + 1e-6);
        assert.deepEqual(JSON.stringify(run()), JSON.stringify(report));
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  test('has no step of a batch begin before the one before it has ended, nor one overtake another', () => {
    const steps: PlacedStep[] = [];
    simulateDrawn({
      pricer: makePricer({ layout: { tp: 8, pp: 4, ep: 1, dp: 1 } }),
      workload: { requestRate: 30, lengths: { distribution: 'uniform', spread: 0.9 } },
      onStep: (step) => steps.push(step),
    });
    assert.deepEqual([...new Set(steps.map(({ batch }) => batch))].sort(), [0, 1, 2, 3]);
    for (const [index, step] of steps.entries()) {
      const before = steps[index - 1];
      if (before !== undefined) {
        assert.ok(step.beganMicros >= before.beganMicros && step.endMicros >= before.endMicros);
      }
      const own = steps.slice(0, index).findLast(({ batch }) => batch === step.batch);
      assert.ok(own === undefined || step.beganMicros >= own.endMicros);
    }
  });

  test('of nothing shared is the same with and without a prefix cache, preemptions included', () => {
    const shared = { maxNumSeqs: 32, kvBlocks: 260, maxModelLen: 2048 };
    const workload = { requests: 40, outputTokens: 200, inputTokens: 300 };
    const { preemptions } = simulateDrawn({ workload, scheduler: shared });
    assert.ok(preemptions > 0);
    // Whoever listens to the steps gets the cache in any case.
    const roomy = { ...shared, kvBlocks: 2600 };
    const quick = simulateDrawn({ workload, scheduler: roomy });
    const whole = simulateDrawn({ workload, scheduler: roomy, onStep: () => {} });
    assert.equal(JSON.stringify(quick), JSON.stringify(whole));
    const tight = simulateDrawn({ workload, scheduler: shared, onStep: () => {} });
    assert.equal(tight.preemptions, preemptions);
  });

  test('finds equal content in the prefix cache', () => {
    const request = (contentIds: readonly number[], arrivalMicros: number): PlannedRequest => ({
      arrivalMicros,
      inputTokens: 1024,
      outputTokens: 4,
      contentIds,
    });
    const report = simulateCapacity({
      pricer: makePricer(),
      scheduler: makeSchedulerOptions({ maxModelLen: 8192, kvBlocks: 1000 }),
      requests: [request([1, 2], 0), request([1, 3], 1e6), request([4, 2], 2e6)],
      maxConcurrency: Number.POSITIVE_INFINITY,
      routing: 'least_loaded',
      goals: {},
    });
    // The second shares its first half; content counts only behind equal content.
    assert.equal(report.prefixCacheHitRate, 512 / 3072);
  });

  test('says why requests were refused', () => {
    const long = simulateDrawn({ workload: { inputTokens: 9000, requests: 3 } });
    assert.equal(long.invalid, 3);
    assert.match(long.refusals[0]!, /fewer tokens than the context length of 8192, not 9000/);
    const full = simulateDrawn({ scheduler: { maxNumQueuedReqs: 10 } });
    assert.equal(full.refusedWhenFull, 54);
    assert.match(full.refusals[0]!, /the queue is full/);
  });

  test('spreads requests over replicas', () => {
    for (const routing of ROUTING_POLICIES) {
      const replicas = new Set<number>();
      simulateDrawn({
        pricer: makePricer({ layout: { tp: 8, pp: 1, ep: 1, dp: 4 } }),
        routing,
        onStep: ({ replica }) => replicas.add(replica),
      });
      assert.equal(replicas.size, 4, routing);
    }
  });

  test('counts goodput by the goals', () => {
    const all = simulateDrawn({ goals: { ttft: 1e6, tpot: 1e6, e2el: 1e6 } });
    assert.equal(all.goodRequestsPerSecond, all.requestsPerSecond);
    const { percentiles } = all.latencies.ttft;
    const half = simulateDrawn({ goals: { ttft: percentiles[0]! } });
    assert.ok(Math.abs(half.goodRequestsPerSecond / half.requestsPerSecond - 0.5) < 0.1);
  });
});

suite('whatever the workload', () => {
  /** Where requests arrive on their own, batches change with the clock: better silicon may meet a worse one. */
  const TOLERANCE = 1.05;

  test('more bandwidth, FLOP/s or link rate never lowers throughput', () => {
    const seconds = (workload: object, changes: Partial<StepOptions>): number =>
      simulateDrawn({ workload, pricer: makePricer(changes) }).seconds;
    const rates = makeRates('H100');
    const { chip } = rates;
    const more = fc.constantFrom<Partial<StepOptions>>(
      { rates: { ...rates, memoryBytesPerSecond: 2 * rates.memoryBytesPerSecond } },
      { rates: { ...rates, linkBytesPerSecond: 2 * rates.linkBytesPerSecond } },
      {
        rates: {
          ...rates,
          chip: {
            ...chip,
            bestGemmFlops: {},
            peakFlops: { ...chip.peakFlops, fp8: { ...chip.peakFlops.fp8!, value: 5e15 } },
          },
        },
      },
    );
    const property = fc.property(workloads, more, (workload, changes) => {
      assert.ok(seconds(workload, changes) <= TOLERANCE * seconds(workload, { rates }));
      const together = { ...workload, requestRate: Number.POSITIVE_INFINITY };
      assert.ok(seconds(together, changes) <= (1 + 1e-9) * seconds(together, { rates }));
    });
    fc.assert(property, { numRuns: 40 });
  });

  test('longer prompts and longer outputs are never faster', () => {
    const property = fc.property(
      workloads,
      fc.constantFrom('inputTokens' as const, 'outputTokens' as const),
      fc.integer({ min: 2, max: 4 }),
      (drawn, field, factor) => {
        const workload = { ...drawn, requestRate: Number.POSITIVE_INFINITY };
        const scheduler = { maxModelLen: 1e5 };
        const before = simulateDrawn({ workload, scheduler });
        const longer = { ...workload, [field]: factor * workload[field] };
        const after = simulateDrawn({ workload: longer, scheduler });
        assert.ok(after.seconds * TOLERANCE >= before.seconds);
      },
    );
    fc.assert(property, { numRuns: 40 });
  });
});
