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

/** The most important first: a binary heap in which those that were removed stay until they surface. */
export class PriorityQueue implements WaitingQueue {
  readonly #heap: Sequence[] = [];
  readonly #members = new Set<Sequence>();

  get size(): number {
    return this.#members.size;
  }

  push(sequence: Sequence): void {
    this.#members.add(sequence);
    const heap = this.#heap;
    let index = heap.push(sequence) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(sequence, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = sequence;
  }

  pushBack(sequence: Sequence): void {
    this.push(sequence);
  }

  peek(): Sequence | undefined {
    while (this.#heap.length > 0 && !this.#members.has(this.#heap[0]!)) this.#dropTop();
    return this.#heap[0];
  }

  remove(sequence: Sequence): void {
    this.#members.delete(sequence);
    // Most of a heap may be removed ones, but not more, so that it stays bounded.
    if (this.#heap.length < 2 * this.#members.size + 64) return;
    const left = [...this.#members];
    this.#heap.length = 0;
    this.#members.clear();
    for (const member of left) this.push(member);
  }

  chargePrompt(): void {}

  chargeToken(): void {}

  #dropTop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}
