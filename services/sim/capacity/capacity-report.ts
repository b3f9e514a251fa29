import type { Range } from '../../core/hardware/figure.ts';
import type { Scheduler } from '../../core/scheduler/scheduler.ts';
import { chipCount } from '../../core/timing/layout.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import { costPerMillionTokens, type TokenCost, wattsOf } from '../../core/timing/token-cost.ts';
import type { DeviceUsage } from './device-usage.ts';
import type { Refusals } from './refusals.ts';
import { reportServing, type ServingReport } from './serving-report.ts';
import type { StepStatistics } from './step-statistics.ts';

/** What a workload came to in device time; rates are of all replicas. */
export interface CapacityReport extends ServingReport {
  /** Refused requests: those that can never be served, and those that found the queue full. */
  readonly invalid: number;
  readonly refusedWhenFull: number;
  /** Why, of the first of each kind. */
  readonly refusals: readonly string[];
  /** Time from step to step of all replicas, without idleness. */
  readonly deviceSeconds: number;
  readonly steps: number;
  readonly sequenceSteps: number;
  /** Means over the run and the replicas, idle time included. */
  readonly mfu: number;
  readonly hbmUtilization: number;
  readonly linkUtilization: number;
  readonly preemptions: number;
  /** Share of the prompt tokens that the prefix cache held. */
  readonly prefixCacheHitRate: number;
  /** Energy of the chips' steps alone. */
  readonly stepJoules: Range;
  /** Undefined where nothing was served. */
  readonly cost: TokenCost | undefined;
}

/** Puts together what was counted. */
export function reportCapacity(counted: {
  readonly statistics: StepStatistics;
  readonly usage: DeviceUsage;
  readonly schedulers: readonly Scheduler[];
  readonly refusals: Refusals;
  readonly mostOpen: number;
  readonly micros: number;
  readonly arrivalsPerSecond: number;
  readonly pricer: StepPricer;
}): CapacityReport {
  const { statistics, usage, refusals, pricer } = counted;
  const { layout, rates } = pricer.options;
  const serving = reportServing(statistics.serving, counted);
  const tokensPerSecond = serving.totalTokensPerSecond;
  const sum = (of: (scheduler: Scheduler) => number): number =>
    counted.schedulers.reduce((total, scheduler) => total + of(scheduler), 0);
  const queries = sum(({ stats }) => stats.prefixCacheQueries);
  return {
    ...serving,
    invalid: refusals.invalid.count,
    refusedWhenFull: refusals.full.count,
    refusals: [refusals.invalid, refusals.full].flatMap(({ example }) => example ?? []),
    deviceSeconds: usage.deviceSeconds,
    steps: usage.steps,
    sequenceSteps: statistics.sequenceSteps,
    ...usage.utilizations(Math.max(serving.seconds, Number.MIN_VALUE), layout.dp),
    preemptions: sum(({ stats }) => stats.preemptions),
    prefixCacheHitRate: sum(({ stats }) => stats.prefixCacheHits) / Math.max(1, queries),
    stepJoules: usage.stepJoules,
    cost:
      tokensPerSecond === 0
        ? undefined
        : costPerMillionTokens({
            chip: rates.chip,
            chips: chipCount(layout),
            tokensPerSecond,
            chipWatts: wattsOf(
              usage.stepJoules,
              usage.deviceSeconds * chipCount({ ...layout, dp: 1 }),
            ),
          }),
  };
}
