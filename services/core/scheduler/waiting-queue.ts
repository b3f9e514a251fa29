import type { Sequence } from './request.ts';

/** The sequences that wait, in the order of a policy. */
export interface WaitingQueue {
  readonly size: number;
  /** Takes in one that has just arrived. */
  push(sequence: Sequence): void;
  /** Takes one back that was preempted. */
  pushBack(sequence: Sequence): void;
  /** The next to be admitted; nobody is admitted before it. */
  peek(): Sequence | undefined;
  /** Takes one out, be it admitted or cancelled. */
  remove(sequence: Sequence): void;
  /** Hears that a sequence, waiting or not, is given its prompt. */
  chargePrompt(sequence: Sequence): void;
  /** Hears that a sequence was given a token. */
  chargeToken(sequence: Sequence): void;
}
