import type { Range } from '../model/shard-plan.ts';

/** Which tokens of one range a sequence holds, and how often each is in its output. */
export class TokenCounts {
  readonly #range: Range;
  readonly #promptLength: number;
  /** By token: occurrences in the output, 0 for one that only the prompt holds. */
  readonly #outputCounts = new Map<number, number>();

  constructor(range: Range, promptLength: number) {
    this.#range = range;
    this.#promptLength = promptLength;
  }

  /** Every token of the range that the sequence holds, with its occurrences in the output. */
  get outputCounts(): ReadonlyMap<number, number> {
    return this.#outputCounts;
  }

  /** Takes in consecutive tokens of the sequence, the first at absolute position `start`. */
  add(tokens: readonly number[], start: number): void {
    tokens.forEach((token, index) => {
      if (token < this.#range.start || token >= this.#range.end) return;
      const isOutput = start + index >= this.#promptLength;
      this.#outputCounts.set(token, (this.#outputCounts.get(token) ?? 0) + (isOutput ? 1 : 0));
    });
  }
}
