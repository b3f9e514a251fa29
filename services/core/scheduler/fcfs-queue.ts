import type { Sequence } from './request.ts';
import type { WaitingQueue } from './waiting-queue.ts';

/** First come, first served; who was preempted comes first. */
export class FcfsQueue implements WaitingQueue {
  // A Set keeps the order of insertion and forgets in constant time.
  readonly #arrived = new Set<Sequence>();
  /** The most recently preempted last. */
  readonly #preempted: Sequence[] = [];

  get size(): number {
    return this.#arrived.size + this.#preempted.length;
  }

  push(sequence: Sequence): void {
    this.#arrived.add(sequence);
  }

  pushBack(sequence: Sequence): void {
    this.#preempted.push(sequence);
  }

  peek(): Sequence | undefined {
    return this.#preempted.at(-1) ?? this.#arrived.values().next().value;
  }

  remove(sequence: Sequence): void {
    if (this.#arrived.delete(sequence)) return;
    this.#preempted.splice(this.#preempted.lastIndexOf(sequence), 1);
  }

  chargePrompt(): void {}

  chargeToken(): void {}
}
