import type { SchedulerOptions } from '../../services/core/scheduler/options.ts';
import type { CapacityReport } from '../../services/sim/capacity/capacity-report.ts';
import {
  type CapacityOptions,
  simulateCapacity,
} from '../../services/sim/capacity/simulate-capacity.ts';
import { type DrawnWorkload, planRequests } from '../../services/sim/capacity/workload.ts';
import { makePricer } from './pricing.ts';
import { makeSchedulerOptions } from './scheduler-options.ts';

/** A workload with the given fields; the others are 64 equal requests that come together. */
export function makeWorkload(given: Partial<DrawnWorkload> = {}): DrawnWorkload {
  return {
    requests: 64,
    requestRate: Number.POSITIVE_INFINITY,
    burstiness: 1,
    inputTokens: 512,
    outputTokens: 32,
    lengths: { distribution: 'fixed', spread: 0 },
    seed: 7,
    ...given,
  };
}

/** Simulates a drawn workload of Llama-3-70B on 8 H100, but for what is given. */
export function simulateDrawn(
  given: {
    readonly workload?: Partial<DrawnWorkload>;
    readonly scheduler?: Partial<SchedulerOptions>;
  } & Partial<Omit<CapacityOptions, 'scheduler'>> = {},
): CapacityReport {
  const { workload, scheduler, ...options } = given;
  return simulateCapacity({
    pricer: makePricer(),
    requests: planRequests({ kind: 'drawn', ...makeWorkload(workload) }),
    scheduler: makeSchedulerOptions({
      maxNumSeqs: 256,
      maxNumBatchedTokens: 2048,
      maxNumQueuedReqs: 1e6,
      maxModelLen: 8192,
      kvBlocks: 60_000,
      ...scheduler,
    }),
    maxConcurrency: Number.POSITIVE_INFINITY,
    routing: 'least_loaded',
    goals: {},
    ...options,
  });
}
