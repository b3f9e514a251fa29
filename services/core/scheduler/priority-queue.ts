import { Heap } from '../support/heap.ts';
import type { Sequence } from './request.ts';
import type { WaitingQueue } from './waiting-queue.ts';

/** Whether `a` is more important: the smaller priority, then the earlier arrival. */
export function isBefore(a: Sequence, b: Sequence): boolean {
  const difference =
    a.request.priority - b.request.priority ||
    a.times.arrivalMicros - b.times.arrivalMicros ||
    a.id - b.id;
  return difference < 0;
}

/** The most important first. Those that were removed stay in the heap until they surface. */
export class PriorityQueue implements WaitingQueue {
  readonly #heap = new Heap(isBefore);
  readonly #members = new Set<Sequence>();

  get size(): number {
    return this.#members.size;
  }

  push(sequence: Sequence): void {
    this.#members.add(sequence);
    this.#heap.push(sequence);
  }

  pushBack(sequence: Sequence): void {
    this.push(sequence);
  }

  peek(): Sequence | undefined {
    let first = this.#heap.peek();
    while (first !== undefined && !this.#members.has(first)) {
      this.#heap.pop();
      first = this.#heap.peek();
    }
    return first;
  }

  remove(sequence: Sequence): void {
    this.#members.delete(sequence);
    // Most of a heap may be removed ones, but not more, so that it stays bounded.
    if (this.#heap.size < 2 * this.#members.size + 64) return;
    this.#heap.clear();
    for (const member of this.#members) this.#heap.push(member);
  }

  chargePrompt(): void {}

  chargeToken(): void {}
}
