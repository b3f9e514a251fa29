import { assert } from '../../core/support/errors.ts';

const MS_PER_MINUTE = 60_000;

/** A budget that fills evenly up to what one minute brings; times are those of one clock, in ms. */
export class TokenBucket {
  readonly capacity: number;
  #level: number;
  #filledMs: number;

  constructor(perMinute: number, nowMs: number) {
    assert(perMinute > 0, 'a budget of nothing');
    this.capacity = perMinute;
    this.#level = perMinute;
    this.#filledMs = nowMs;
  }

  /** What may be taken now. */
  level(nowMs: number): number {
    this.#fill(nowMs);
    return this.#level;
  }

  /** Takes without asking; `level` and `delayMs` are for asking first. */
  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level -= amount;
  }

  /** Gives back what was taken and not used. */
  giveBack(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level = Math.min(this.capacity, this.#level + amount);
  }

  /** Time until so much may be taken; 0 now, Infinity never. */
  delayMs(amount: number, nowMs: number): number {
    if (amount > this.capacity) return Number.POSITIVE_INFINITY;
    const missing = amount - this.level(nowMs);
    return missing <= 0 ? 0 : (missing * MS_PER_MINUTE) / this.capacity;
  }

  #fill(nowMs: number): void {
    const gained = ((nowMs - this.#filledMs) * this.capacity) / MS_PER_MINUTE;
    this.#level = Math.min(this.capacity, this.#level + Math.max(0, gained));
    this.#filledMs = nowMs;
  }
}
