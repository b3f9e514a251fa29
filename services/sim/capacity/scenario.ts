import type { RangeEnd } from '../../core/hardware/figure.ts';
import type { SchedulerOptions } from '../../core/scheduler/options.ts';
import { planKvBlocks } from '../../core/timing/kv-blocks.ts';
import { makePricer, type PlacedModel } from '../../core/timing/load-price.ts';
import type { CapacityReport } from './capacity-report.ts';
import type { LatencyGoals } from './latency-goals.ts';
import type { PlannedRequest } from './planned-request.ts';
import type { RoutingPolicy } from './routing.ts';
import { type PlacedStep, simulateCapacity } from './simulate-capacity.ts';
import { planRequests, type Workload } from './workload.ts';

/** Everything that a capacity simulation depends on; plain data, which can go to another thread. */
export interface CapacityScenario {
  readonly placed: PlacedModel;
  readonly scheduler: Omit<SchedulerOptions, 'kvBlocks'>;
  /** KV blocks of a replica at the most, where memory holds more. */
  readonly numGpuBlocksOverride: number | undefined;
  readonly workload: Workload;
  /** Requests that clients keep open at the most; may be infinite. */
  readonly maxConcurrency: number;
  readonly routing: RoutingPolicy;
  readonly goals: LatencyGoals;
}

/** Simulates a scenario at one end of what the chip's figures allow. */
export function simulateScenario(
  scenario: CapacityScenario,
  end: RangeEnd,
  onStep?: (step: PlacedStep) => void,
): CapacityReport {
  const { placed, maxConcurrency, routing, goals } = scenario;
  const requests = planRequests(scenario.workload);
  const scheduler = { ...scenario.scheduler, kvBlocks: usedKvBlocks(scenario, requests) };
  return simulateCapacity({
    pricer: makePricer(placed, end),
    scheduler,
    requests,
    maxConcurrency,
    routing,
    goals,
    ...(onStep !== undefined && { onStep }),
  });
}

/** KV blocks of one replica, by its memory plan. */
export function kvBlocksOf({ placed, scheduler, ...rest }: CapacityScenario): number {
  const { blockSize } = scheduler;
  return planKvBlocks(placed, { blockSize, numGpuBlocksOverride: rest.numGpuBlocksOverride });
}

/**
 * Blocks beyond what all requests together can ever fill would only be listed, and a rack of chips
 * has very many.
 */
function usedKvBlocks(scenario: CapacityScenario, requests: readonly PlannedRequest[]): number {
  const { blockSize, watermark } = scenario.scheduler;
  const filled = requests.reduce(
    (sum, { inputTokens, outputTokens }) =>
      sum + Math.ceil((inputTokens + outputTokens) / blockSize),
    0,
  );
  const { pp } = scenario.placed.layout;
  return Math.min(kvBlocksOf(scenario), pp * Math.ceil(filled / (1 - watermark)));
}
