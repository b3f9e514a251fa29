import type { Sequence } from './request.ts';
import type { WaitingQueue } from './waiting-queue.ts';

/** First come, first served; who was preempted comes first. */
export class FcfsQueue implements WaitingQueue {
  /** Those before `#head` are gone; so are, as undefined, those that were cancelled behind it. */
  #arrived: (Sequence | undefined)[] = [];
  #head = 0;
  /** Where each of `#arrived` stands, counted from the first that ever came. */
  readonly #places = new Map<Sequence, number>();
  #dropped = 0;
  /** The most recently preempted last. */
  readonly #preempted: Sequence[] = [];

  get size(): number {
    return this.#places.size + this.#preempted.length;
  }

  push(sequence: Sequence): void {
    this.#places.set(sequence, this.#dropped + this.#arrived.length);
    this.#arrived.push(sequence);
  }

  pushBack(sequence: Sequence): void {
    this.#preempted.push(sequence);
  }

  peek(): Sequence | undefined {
    return this.#preempted.at(-1) ?? this.#arrived[this.#head];
  }

  remove(sequence: Sequence): void {
    const place = this.#places.get(sequence);
    if (place === undefined) {
      this.#preempted.splice(this.#preempted.lastIndexOf(sequence), 1);
      return;
    }
    this.#places.delete(sequence);
    this.#arrived[place - this.#dropped] = undefined;
    while (this.#head < this.#arrived.length && this.#arrived[this.#head] === undefined)
      this.#head++;
    if (2 * this.#head > this.#arrived.length + 64) this.#dropGone();
  }

  chargePrompt(): void {}

  chargeToken(): void {}

  #dropGone(): void {
    this.#arrived = this.#arrived.slice(this.#head);
    this.#dropped += this.#head;
    this.#head = 0;
  }
}
