import type { Pace } from '../../cluster/pacer.ts';
import type { ServingReport } from '../../sim/capacity/serving-report.ts';

/** What an offered load came to; plain data, which goes from process to process. */
export interface LoadReport {
  readonly device: ServingReport;
  readonly host: ServingReport;
  readonly refused: number;
  readonly steps: number;
  /** Sequences of a step: the mean, and the most. */
  readonly meanSequences: number;
  readonly mostSequences: number;
  readonly preemptions: number;
  readonly pace: Pace;
  /** Processor time of the coordinator over the host seconds. */
  readonly coordinatorCpuShare: number;
}
