import { createWaitingQueue } from './create-waiting-queue.ts';
import type { SchedulingPolicy } from './options.ts';
import type { Sequence } from './request.ts';
import type { WaitingQueue } from './waiting-queue.ts';

/** The sequences that wait, in the order of a policy, and how much of prompts they bring. */
export class WaitingSequences {
  readonly #queue: WaitingQueue;
  #promptTokens = 0;

  constructor(policy: SchedulingPolicy) {
    this.#queue = createWaitingQueue(policy);
  }

  get count(): number {
    return this.#queue.size;
  }

  /** Tokens of their prompts, none of which is computed. */
  get promptTokens(): number {
    return this.#promptTokens;
  }

  /** The next to be admitted; nobody is admitted before it. */
  peek(): Sequence | undefined {
    return this.#queue.peek();
  }

  arrive(sequence: Sequence): void {
    this.#queue.push(sequence);
    this.#promptTokens += sequence.request.promptTokens.length;
  }

  /** Takes a preempted one back. */
  comeBack(sequence: Sequence): void {
    sequence.state = 'waiting';
    this.#queue.pushBack(sequence);
    this.#promptTokens += sequence.request.promptTokens.length;
  }

  /** Takes one out, wherever it stands. */
  remove(sequence: Sequence): void {
    this.#queue.remove(sequence);
    this.#promptTokens -= sequence.request.promptTokens.length;
  }

  /** Takes all out, in order. */
  removeAll(): Sequence[] {
    const all: Sequence[] = [];
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      this.remove(next);
      all.push(next);
    }
    return all;
  }

  /** Hears that a sequence is given its prompt. */
  chargePrompt(sequence: Sequence): void {
    this.#queue.chargePrompt(sequence);
  }

  /** Hears that a sequence, waiting or not, was given a token. */
  chargeToken(sequence: Sequence): void {
    this.#queue.chargeToken(sequence);
  }
}
