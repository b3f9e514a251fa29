import type { Distribution } from './distribution.ts';
import { LATENCIES, type Latency } from './latency-goals.ts';
import type { ServingStatistics } from './serving-statistics.ts';

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

/** What a load came to, on one clock. */
export interface ServingReport {
  /** From the first arrival to the last token. */
  readonly seconds: number;
  /** At which the requests came; infinite where all came at once. */
  readonly arrivalsPerSecond: number;
  readonly completed: number;
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
}

/** Puts together what was counted. */
export function reportServing(
  statistics: ServingStatistics,
  load: {
    readonly micros: number;
    readonly arrivalsPerSecond: number;
    readonly mostOpen: number;
  },
): ServingReport {
  const { inputTokens, outputTokens, completed } = statistics;
  const seconds = load.micros / MICROS_PER_SECOND;
  const perSecond = (count: number): number => (count === 0 ? 0 : count / seconds);
  return {
    seconds,
    arrivalsPerSecond: load.arrivalsPerSecond,
    completed,
    inputTokens,
    outputTokens,
    requestsPerSecond: perSecond(completed),
    goodRequestsPerSecond: perSecond(statistics.good),
    outputTokensPerSecond: perSecond(outputTokens),
    totalTokensPerSecond: perSecond(inputTokens + outputTokens),
    mostOutputTokensPerSecond: statistics.mostOutputTokensPerSecond,
    mostOpenRequests: load.mostOpen,
    latencies: summarizeAll(statistics.latencies),
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
