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
}

/** A step as it takes shape: its parts, and what is left of its token budget. */
export class StepBuilder {
  #parts: ScheduledSequence[] = [];
  #budget: number;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Tokens that may still be scheduled. */
  get budget(): number {
    return this.#budget;
  }

  get parts(): readonly ScheduledSequence[] {
    return this.#parts;
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
    this.#parts.push({ sequence, start, count, admitted, newBlocks, sample });
    this.#budget -= count;
  }

  /** Takes a sequence's part out, where it has one, and its tokens back. */
  remove(sequence: Sequence): void {
    const index = this.#parts.findIndex((part) => part.sequence === sequence);
    if (index < 0) return;
    this.#budget += this.#parts[index]!.count;
    this.#parts.splice(index, 1);
  }
}
