import { type Range, rangeSize } from '../model/shard-plan.ts';
import { promptTargets, tokensWithinRows } from './prompt-targets.ts';
import type { Sequence } from './request.ts';

/** One sequence's part of a step. */
export interface ScheduledSequence {
  readonly sequence: Sequence;
  /** Position of the first of `count` tokens. */
  readonly start: number;
  readonly count: number;
  /** Whether it joins the running ones in this step: the chips do not know it (any more). */
  readonly admitted: boolean;
  /** Blocks that its table gains at the end for this step; all of it where it is admitted. */
  readonly newBlocks: readonly number[];
  /** Whether its last row is to be sampled. */
  readonly sample: boolean;
  /** Positions of the prompt tokens whose log-probabilities it gives, each by the row before it. */
  readonly promptTargets: Range;
}

/** A step as it takes shape: its parts, and what is left of its token budget. */
export class StepBuilder {
  #parts: ScheduledSequence[] = [];
  #budget: number;
  #spareRows: number;

  /**
   * `spareRows` of logits are for the log-probabilities of prompts, beside one row that every sequence has
   * for itself.
   */
  constructor(limits: { readonly budget: number; readonly spareRows: number }) {
    this.#budget = limits.budget;
    this.#spareRows = limits.spareRows;
  }

  /** Tokens that may still be scheduled. */
  get budget(): number {
    return this.#budget;
  }

  get parts(): readonly ScheduledSequence[] {
    return this.#parts;
  }

  /** How many of a sequence's `pending` tokens from `start` the step has room for. */
  fit(sequence: Sequence, start: number, pending: number): number {
    const count = Math.min(pending, this.#budget);
    return tokensWithinRows(sequence, { start, count, rows: 1 + this.#spareRows });
  }

  add(part: {
    readonly sequence: Sequence;
    readonly count: number;
    readonly admitted: boolean;
    readonly newBlocks: readonly number[];
  }): void {
    const { sequence, count, admitted, newBlocks } = part;
    const start = sequence.computedTokens;
    const sample = start + count === sequence.tokens.length;
    const added: ScheduledSequence = {
      sequence,
      start,
      count,
      admitted,
      newBlocks,
      sample,
      promptTargets: promptTargets(sequence, start, count),
    };
    this.#parts.push(added);
    this.#budget -= count;
    this.#spareRows -= spareRowsOf(added);
  }

  /** Takes a sequence's part out, where it has one, and its tokens back. */
  remove(sequence: Sequence): void {
    const index = this.#parts.findIndex((part) => part.sequence === sequence);
    if (index < 0) return;
    const part = this.#parts[index]!;
    this.#budget += part.count;
    this.#spareRows += spareRowsOf(part);
    this.#parts.splice(index, 1);
  }
}

/** Rows of logits beyond a sequence's own. */
function spareRowsOf({
  sample,
  promptTargets: targets,
}: Pick<ScheduledSequence, 'sample' | 'promptTargets'>): number {
  return Math.max(0, rangeSize(targets) + Number(sample) - 1);
}
