import { Heap } from '../support/heap.ts';

/** What an order among clients goes by; both numbers only grow. */
export interface ClientRank {
  readonly counter: number;
  /** Decides between equal counters. */
  readonly order: number;
}

interface Entry<Client> extends ClientRank {
  readonly client: Client;
}

/**
 * Finds the first in rank of the clients in some state, in logarithmic time. Where a client stands
 * is corrected when it surfaces, so that its counter may grow and its state may change at any time.
 */
export class LowestClients<Client extends ClientRank> {
  readonly #belongs: (client: Client) => boolean;
  readonly #heap = new Heap<Entry<Client>>(isBefore);
  readonly #listed = new Set<Client>();

  constructor(belongs: (client: Client) => boolean) {
    this.#belongs = belongs;
  }

  /** Adds a client that belongs from now on. */
  add(client: Client): void {
    if (this.#listed.has(client)) return;
    this.#listed.add(client);
    this.#push(client);
  }

  /** The first in rank of those that belong. */
  peek(): Client | undefined {
    for (let entry = this.#heap.peek(); entry !== undefined; entry = this.#heap.peek()) {
      const { client, counter, order } = entry;
      const belongs = this.#belongs(client);
      if (belongs && counter === client.counter && order === client.order) return client;
      this.#heap.pop();
      if (belongs) this.#push(client);
      else this.#listed.delete(client);
    }
    return undefined;
  }

  /** Takes out what `peek` gives. */
  pop(): Client | undefined {
    const client = this.peek();
    if (client === undefined) return undefined;
    this.#heap.pop();
    this.#listed.delete(client);
    return client;
  }

  #push(client: Client): void {
    const { counter, order } = client;
    this.#heap.push({ client, counter, order });
  }
}

function isBefore(a: ClientRank, b: ClientRank): boolean {
  return a.counter !== b.counter ? a.counter < b.counter : a.order < b.order;
}
