import { FcfsQueue } from './fcfs-queue.ts';
import type { Sequence } from './request.ts';
import type { WaitingQueue } from './waiting-queue.ts';

/** What a generated token counts, a prompt token being 1, as in the paper's evaluation. */
const OUTPUT_WEIGHT = 2;

interface Client {
  readonly queue: FcfsQueue;
  /** Weighted tokens that the client was given, comparable between clients that wait. */
  counter: number;
}

/**
 * Virtual token counters (Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024):
 * the next request is one of the client that was given the fewest weighted tokens; a client that
 * comes back from idleness starts no lower than those that wait, so that it cannot save up.
 */
export class FairQueue implements WaitingQueue {
  readonly #clients = new Map<string, Client>();
  #size = 0;
  /** The client that left the queue last: what it is given since counts. */
  #last: Client | undefined;

  get size(): number {
    return this.#size;
  }

  push(sequence: Sequence): void {
    this.#join(sequence).queue.push(sequence);
    this.#size++;
  }

  pushBack(sequence: Sequence): void {
    this.#join(sequence).queue.pushBack(sequence);
    this.#size++;
  }

  peek(): Sequence | undefined {
    return this.#next()?.queue.peek();
  }

  remove(sequence: Sequence): void {
    const client = this.#clients.get(sequence.request.clientId)!;
    client.queue.remove(sequence);
    this.#last = client;
    this.#size--;
  }

  chargePrompt(sequence: Sequence): void {
    this.#charge(sequence, sequence.request.promptTokens.length);
  }

  chargeToken(sequence: Sequence): void {
    this.#charge(sequence, OUTPUT_WEIGHT);
  }

  #charge({ request }: Sequence, weight: number): void {
    let client = this.#clients.get(request.clientId);
    if (client === undefined) {
      const last = this.#last?.counter ?? 0;
      client = { queue: new FcfsQueue(), counter: Math.min(last, this.#lowestWaiting() ?? last) };
      this.#clients.set(request.clientId, client);
    }
    client.counter += weight;
  }

  /** The client of a sequence that begins to wait, its counter lifted where it was idle. */
  #join({ request }: Sequence): Client {
    const known = this.#clients.get(request.clientId);
    if (known !== undefined && known.queue.size > 0) return known;
    const client = known ?? { queue: new FcfsQueue(), counter: 0 };
    const waiting = this.#lowestWaiting();
    const last = this.#last?.counter ?? 0;
    client.counter = Math.max(client.counter, waiting ?? last);
    this.#forgetIdle(Math.min(last, waiting ?? last));
    this.#clients.set(request.clientId, client);
    return client;
  }

  #next(): Client | undefined {
    let next: Client | undefined;
    for (const client of this.#clients.values()) {
      if (client.queue.size === 0) continue;
      if (next === undefined || client.counter < next.counter) next = client;
    }
    return next;
  }

  /** The lowest counter of those that wait; undefined where nobody does. */
  #lowestWaiting(): number | undefined {
    return this.#next()?.counter;
  }

  /** An idle client whose counter the lift would reach anyway needs no memory of it. */
  #forgetIdle(floor: number): void {
    for (const [id, client] of this.#clients) {
      const isIdle = client.queue.size === 0 && client !== this.#last;
      if (isIdle && client.counter <= floor) this.#clients.delete(id);
    }
  }
}
