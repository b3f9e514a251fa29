import { assert } from '../core/support/errors.ts';
import { logF64 } from '../core/support/math.ts';

/**
 * A seeded generator of pseudo-random numbers (sfc32): equal seeds draw equal numbers on every
 * machine. Whatever is random in a simulation comes from one of these. Not a library's, for those
 * begin with draws that hardly depend on a small seed, and seeds of simulations are small.
 */
export class Random {
  readonly #state = new Uint32Array(4);

  /** Seeds of any size; `stream` keeps draws for different purposes apart. */
  constructor(seed: number, stream = 0) {
    this.#state.set([seed, Math.floor(seed / 2 ** 32), stream, 1]);
    for (let i = 0; i < 15; i++) this.#next();
  }

  /** In [0, 1). */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** In (0, 1], with all the digits of a double. */
  uniform(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 2 ** 26 + low + 1) / 2 ** 53;
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    assert(min <= max, `a range from ${min} to ${max}`);
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, 'something can be picked');
    return items[this.integer(0, items.length - 1)]!;
  }

  /** Small numbers mostly, with a long tail: exponential around `mean`, whole. */
  around(mean: number): number {
    return Math.round(-logF64(1 - this.fraction()) * mean);
  }

  #next(): number {
    const state = this.#state;
    const [a, b, c, counter] = state as unknown as [number, number, number, number];
    const sum = (a + b + counter) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    state[3] = counter + 1;
    return sum;
  }
}
