import type { CapacityReport } from './capacity-report.ts';
import { GOAL_LATENCIES, type GoalLatency, type LatencyGoals } from './latency-goals.ts';
import { REPORTED_PERCENTILES } from './serving-report.ts';

export type ReportedPercentile = (typeof REPORTED_PERCENTILES)[number];

/** What a service promises: that so many percent of its requests stay within the goals. */
export interface ServiceLevel {
  readonly goals: LatencyGoals;
  readonly percentile: ReportedPercentile;
}

/** Share of the arrival rate that must be served over the whole run, its last requests included. */
const SERVED_SHARE = 0.9;

/**
 * Whether a run keeps a promise: the percentile of each latency is within its goal, no request was
 * refused, and requests ended about as fast as they came, so that no queue grew meanwhile.
 */
export function meetsLevel(report: CapacityReport, level: ServiceLevel): boolean {
  const isKeptUp = report.requestsPerSecond >= SERVED_SHARE * report.arrivalsPerSecond;
  return isKeptUp && meetsGoals(report, level);
}

/**
 * Whether no request was refused and the percentile of each latency is within its goal: enough where a
 * goal is on the time to the first token, which a queue that grows would break.
 */
export function meetsGoals(report: CapacityReport, level: ServiceLevel): boolean {
  const isQuick = GOAL_LATENCIES.every(
    (latency) =>
      percentileOf(report, latency, level) <= (level.goals[latency] ?? Number.POSITIVE_INFINITY),
  );
  return isQuick && report.invalid + report.refusedWhenFull === 0;
}

/** Milliseconds of a latency at the promised percentile. */
export function percentileOf(
  { latencies }: CapacityReport,
  latency: GoalLatency,
  { percentile }: ServiceLevel,
): number {
  return latencies[latency].percentiles[REPORTED_PERCENTILES.indexOf(percentile)]!;
}
