import type { Range } from '../../core/hardware/figure.ts';
import type { Scheduler } from '../../core/scheduler/scheduler.ts';
import { chipCount } from '../../core/timing/layout.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import { costPerMillionTokens, type TokenCost } from '../../core/timing/token-cost.ts';
import type { DeviceUsage } from './device-usage.ts';
import type { Distribution } from './distribution.ts';
import { LATENCIES, type Latency } from './latency-goals.ts';
import type { Refusals } from './refusals.ts';
import type { RequestStatistics } from './request-statistics.ts';

const MICROS_PER_SECOND = 1e6;
const MICROS_PER_MS = 1000;

/** Percentiles that every report has. */
export const REPORTED_PERCENTILES = [50, 90, 95, 99] as const;

/** Percentiles that a cumulative distribution is drawn through. */
export const CURVE_PERCENTILES: readonly number[] = [
  ...Array.from({ length: 100 }, (_, percent) => percent),
  99.5,
  99.9,
  100,
];

/** Milliseconds. */
export interface LatencySummary {
  readonly mean: number;
  readonly deviation: number;
  /** Of `REPORTED_PERCENTILES`, in that order. */
  readonly percentiles: readonly number[];
  /** Of `CURVE_PERCENTILES`, in that order. */
  readonly curve: readonly number[];
  /** Whether the percentiles are exact, and not of a histogram with three digits. */
  readonly exact: boolean;
}

/** What a workload came to in device time; rates are of all replicas. */
export interface CapacityReport {
  /** From the first arrival to the last token. */
  readonly seconds: number;
  /** At which the requests came; infinite where all came at once. */
  readonly arrivalsPerSecond: number;
  readonly completed: number;
  /** Refused requests: those that can never be served, and those that found the queue full. */
  readonly invalid: number;
  readonly refusedWhenFull: number;
  /** Why, of the first of each kind. */
  readonly refusals: readonly string[];
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly requestsPerSecond: number;
  /** Requests within the goals. */
  readonly goodRequestsPerSecond: number;
  readonly outputTokensPerSecond: number;
  readonly totalTokensPerSecond: number;
  readonly mostOutputTokensPerSecond: number;
  readonly mostOpenRequests: number;
  readonly latencies: Readonly<Record<Latency, LatencySummary>>;
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
  readonly statistics: RequestStatistics;
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
  const { inputTokens, outputTokens, completed } = statistics;
  const seconds = counted.micros / MICROS_PER_SECOND;
  const perSecond = (count: number): number => (count === 0 ? 0 : count / seconds);
  const sum = (of: (scheduler: Scheduler) => number): number =>
    counted.schedulers.reduce((total, scheduler) => total + of(scheduler), 0);
  const tokensPerSecond = perSecond(inputTokens + outputTokens);
  return {
    seconds,
    arrivalsPerSecond: counted.arrivalsPerSecond,
    completed,
    invalid: refusals.invalid.count,
    refusedWhenFull: refusals.full.count,
    refusals: [refusals.invalid, refusals.full].flatMap(({ example }) => example ?? []),
    inputTokens,
    outputTokens,
    requestsPerSecond: perSecond(completed),
    goodRequestsPerSecond: perSecond(statistics.good),
    outputTokensPerSecond: perSecond(outputTokens),
    totalTokensPerSecond: tokensPerSecond,
    mostOutputTokensPerSecond: statistics.mostOutputTokensPerSecond,
    mostOpenRequests: counted.mostOpen,
    latencies: summarizeAll(statistics.latencies),
    deviceSeconds: usage.deviceSeconds,
    steps: usage.steps,
    sequenceSteps: statistics.sequenceSteps,
    ...usage.utilizations(Math.max(seconds, Number.MIN_VALUE), layout.dp),
    preemptions: sum(({ stats }) => stats.preemptions),
    prefixCacheHitRate:
      sum(({ stats }) => stats.prefixCacheHits) /
      Math.max(
        1,
        sum(({ stats }) => stats.prefixCacheQueries),
      ),
    stepJoules: usage.stepJoules,
    cost:
      tokensPerSecond === 0
        ? undefined
        : costPerMillionTokens({ chip: rates.chip, chips: chipCount(layout), tokensPerSecond }),
  };
}

function summarizeAll(latencies: Readonly<Record<Latency, Distribution>>) {
  const entries = LATENCIES.map((latency) => [latency, summarize(latencies[latency])] as const);
  return Object.fromEntries(entries) as Record<Latency, LatencySummary>;
}

function summarize(distribution: Distribution): LatencySummary {
  const { mean, deviation, isExact } = distribution;
  const values = distribution
    .percentiles([...REPORTED_PERCENTILES, ...CURVE_PERCENTILES])
    .map((micros) => micros / MICROS_PER_MS);
  return {
    mean: mean / MICROS_PER_MS,
    deviation: deviation / MICROS_PER_MS,
    percentiles: values.slice(0, REPORTED_PERCENTILES.length),
    curve: values.slice(REPORTED_PERCENTILES.length),
    exact: isExact,
  };
}
