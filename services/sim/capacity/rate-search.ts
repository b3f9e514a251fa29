import { assert } from '../../core/support/errors.ts';

/** Rates that are tried at once; always so many, so that the outcome does not depend on the machine. */
const RATES_A_ROUND = 4;
/** The search ends when the bounds are this close, relative to the upper one. */
const TOLERANCE = 0.01;
/** Rounds of higher rates beyond the guess; a rate that all of them meet is as good as any. */
const MOST_RAISES = 4;
/** A rate below this share of the guess is none. */
const LEAST_SHARE = 1e-3;

/** Closes in on the highest rate that holds, from a guess, in rounds of several rates. */
export class RateSearch {
  readonly #guess: number;
  /** Holds, or 0. */
  #low = 0;
  /** Does not hold; infinite while none was found. */
  #high = Number.POSITIVE_INFINITY;
  #raises = 0;

  constructor(guess: number) {
    assert(guess > 0 && guess < Number.POSITIVE_INFINITY, `a guess of ${guess}`);
    this.#guess = guess;
  }

  /** The highest rate that was seen to hold, with none below it that did not; 0 where none does. */
  get highest(): number {
    return this.#low;
  }

  /** Rates to try now, ascending; none where the search is over. */
  next(): readonly number[] {
    const steps = Array.from({ length: RATES_A_ROUND }, (_, index) => index + 1);
    if (this.#high === Number.POSITIVE_INFINITY) {
      if (this.#raises++ === MOST_RAISES) return [];
      return steps.map((step) => this.#low + (step * this.#guess) / RATES_A_ROUND);
    }
    const width = this.#high - this.#low;
    const isFound = width <= TOLERANCE * this.#high || this.#high < LEAST_SHARE * this.#guess;
    return isFound ? [] : steps.map((step) => this.#low + (step * width) / (RATES_A_ROUND + 1));
  }

  /** Takes which of the rates held, in their order. */
  take(rates: readonly number[], held: readonly boolean[]): void {
    const failed = held.indexOf(false);
    if (failed >= 0) this.#high = rates[failed]!;
    const last = (failed < 0 ? rates.length : failed) - 1;
    if (last >= 0) this.#low = rates[last]!;
  }
}
