import type { GrammarCompiler } from '../core/grammar/grammar.ts';
import type { SchedulerOptions } from '../core/scheduler/options.ts';
import type { StepPricer } from '../core/timing/step-pricer.ts';
import type { Journal } from './journal.ts';
import type { GroupSpec } from './messages.ts';

/** What a group serves and how, how long it waits, and what outlasts its coordinator. */
export interface CoordinatorOptions {
  readonly spec: GroupSpec;
  readonly scheduler: Omit<SchedulerOptions, 'kvBlocks'>;
  /** Tokens of the model's vocabulary. */
  readonly vocabSize: number;
  /** A step that takes longer is given up, and everything is computed anew in a new epoch. */
  readonly stepTimeoutMicros: number;
  /** A chip that the group waits for and does not hear for longer is replaced, or done without. */
  readonly patienceMicros: number;
  /** Undefined where no later coordinator goes on with the requests of this one. */
  readonly journal?: Journal | undefined;
  /** Without it requests have no constraints. */
  readonly grammars?: GrammarCompiler;
  /** What steps take on the modelled chips; without it there is no device time. */
  readonly pricer?: StepPricer;
  /** Device seconds that a second of this computer holds at the most; 0, and absent, is no bound. */
  readonly speed?: number;
}
