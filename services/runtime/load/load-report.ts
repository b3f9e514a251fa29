import type { Pace } from '../../cluster/pacer.ts';
import type { LatencySummary } from '../../sim/capacity/capacity-report.ts';

/** Latencies that a load is told by, as `vllm bench serve` defines them. */
export const LOAD_LATENCIES = ['ttft', 'tpot', 'e2el'] as const;
export type LoadLatency = (typeof LOAD_LATENCIES)[number];

/** Latencies on one clock. */
export type LoadLatencies = Readonly<Record<LoadLatency, LatencySummary>>;

/** What an offered load came to; plain data, which goes from process to process. */
export interface LoadReport {
  readonly completed: number;
  readonly refused: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly steps: number;
  /** Sequences of a step: the mean, and the most. */
  readonly meanSequences: number;
  readonly mostSequences: number;
  readonly preemptions: number;
  /** From the first arrival to the last token. */
  readonly deviceSeconds: number;
  readonly hostSeconds: number;
  readonly device: LoadLatencies;
  readonly host: LoadLatencies;
  readonly pace: Pace;
  /** Processor time of the coordinator over the host seconds. */
  readonly coordinatorCpuShare: number;
}
