import type { Exchange } from '../core/collectives/frame.ts';
import type { ScheduledExchange, ScheduledStage } from '../core/collectives/schedule.ts';
import type { StepCommand, StepReport } from './messages.ts';
import type { LogitsRow } from './shard-sampler.ts';
import type { StepFault } from './step-check.ts';

/** What of a report follows from what a step computed. */
export type StepResult = Pick<StepReport, 'digest' | 'samples' | 'prompt' | 'tokens'>;

/** One step as a shard takes part in it. */
export interface StepProgram {
  readonly stages: readonly ScheduledStage[];
  /** Rows that it computes, and those of them whose logits are wanted. */
  readonly rows: number;
  readonly headRows: number;
  exchangeOf(scheduled: ScheduledExchange): Exchange;
  /** What came of it, once every stage is complete. */
  result(): StepResult;
}

/** How a shard executes steps: with arithmetic on its memory, or with what stands for it. */
export interface ShardProgram {
  readonly rank: number;
  readonly ranks: number;
  /** Why a step is not taken, though its command is well-formed. */
  faultOf(command: StepCommand): StepFault | undefined;
  /** Takes in a step that `faultOf` finds nothing in. */
  begin(command: StepCommand): StepProgram;
  /** A row of logits of the last step; undefined where there is none of that index. */
  rowOf(sample: number): LogitsRow | undefined;
  /** Forgets all sequences. */
  clear(): void;
}
