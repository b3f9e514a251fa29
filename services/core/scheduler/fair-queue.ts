import { FcfsQueue } from './fcfs-queue.ts';
import { LowestClients } from './lowest-clients.ts';
import type { Sequence } from './request.ts';
import type { WaitingQueue } from './waiting-queue.ts';

/** What a generated token counts, a prompt token being 1, as in the paper's evaluation. */
const OUTPUT_WEIGHT = 2;

interface Client {
  readonly id: string;
  readonly queue: FcfsQueue;
  /** Weighted tokens that the client was given, comparable between clients that wait. */
  counter: number;
  /** Smaller for those that have been known for longer. */
  order: number;
}

/**
 * Virtual token counters (Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024):
 * the next request is one of the client that was given the fewest weighted tokens; a client that
 * comes back from idleness starts no lower than those that wait, so that it cannot save up.
 */
export class FairQueue implements WaitingQueue {
  readonly #clients = new Map<string, Client>();
  readonly #waiting = new LowestClients<Client>(({ queue }) => queue.size > 0);
  readonly #idle = new LowestClients<Client>(({ queue }) => queue.size === 0);
  #size = 0;
  /** The client that left the queue last: what it is given since counts. */
  #last: Client | undefined;
  #nextOrder = 0;

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
    return this.#waiting.peek()?.queue.peek();
  }

  remove(sequence: Sequence): void {
    const client = this.#clients.get(sequence.request.clientId)!;
    client.queue.remove(sequence);
    if (client.queue.size === 0) this.#idle.add(client);
    this.#last = client;
    this.#size--;
  }

  chargePrompt(sequence: Sequence): void {
    this.#charge(sequence, sequence.request.promptTokens.length);
  }

  chargeToken(sequence: Sequence): void {
    this.#charge(sequence, OUTPUT_WEIGHT);
  }

  #charge({ request: { clientId } }: Sequence, weight: number): void {
    let client = this.#clients.get(clientId);
    if (client === undefined) {
      const last = this.#last?.counter ?? 0;
      client = this.#makeClient(clientId, Math.min(last, this.#lowestWaiting() ?? last));
      this.#clients.set(clientId, client);
      this.#idle.add(client);
    }
    client.counter += weight;
  }

  /** The client of a sequence that begins to wait, its counter lifted where it was idle. */
  #join({ request: { clientId } }: Sequence): Client {
    const known = this.#clients.get(clientId);
    if (known !== undefined && known.queue.size > 0) return known;
    const client = known ?? this.#makeClient(clientId, 0);
    const waiting = this.#lowestWaiting();
    const last = this.#last?.counter ?? 0;
    client.counter = Math.max(client.counter, waiting ?? last);
    this.#forgetIdle(Math.min(last, waiting ?? last));
    if (!this.#clients.has(clientId)) {
      client.order = this.#nextOrder++;
      this.#clients.set(clientId, client);
    }
    this.#waiting.add(client);
    return client;
  }

  #makeClient(id: string, counter: number): Client {
    return { id, queue: new FcfsQueue(), counter, order: this.#nextOrder++ };
  }

  /** The lowest counter of those that wait; undefined where nobody does. */
  #lowestWaiting(): number | undefined {
    return this.#waiting.peek()?.counter;
  }

  /** An idle client whose counter the lift would reach anyway needs no memory of it. */
  #forgetIdle(floor: number): void {
    const isBelow = (): boolean =>
      (this.#idle.peek()?.counter ?? Number.POSITIVE_INFINITY) <= floor;
    let last: Client | undefined;
    while (isBelow()) {
      const client = this.#idle.pop()!;
      if (client === this.#last) last = client;
      else this.#clients.delete(client.id);
    }
    if (last !== undefined) this.#idle.add(last);
  }
}
