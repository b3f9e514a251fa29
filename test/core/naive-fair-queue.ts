import type { Sequence } from '../../services/core/scheduler/request.ts';

interface NaiveClient {
  readonly arrived: Sequence[];
  readonly preempted: Sequence[];
  counter: number;
}

/** Virtual token counters as the paper defines them, with a look at every client before each decision. */
export class NaiveFairQueue {
  readonly #clients = new Map<string, NaiveClient>();
  #last: NaiveClient | undefined;

  push(sequence: Sequence): void {
    this.#join(sequence.request.clientId).arrived.push(sequence);
  }

  pushBack(sequence: Sequence): void {
    this.#join(sequence.request.clientId).preempted.push(sequence);
  }

  peek(): Sequence | undefined {
    const next = this.#next();
    return next?.preempted.at(-1) ?? next?.arrived[0];
  }

  remove(sequence: Sequence): void {
    const client = this.#clients.get(sequence.request.clientId)!;
    for (const list of [client.arrived, client.preempted]) {
      if (list.includes(sequence)) list.splice(list.indexOf(sequence), 1);
    }
    this.#last = client;
  }

  charge(clientId: string, weight: number): void {
    const last = this.#last?.counter ?? 0;
    const counter = Math.min(last, this.#next()?.counter ?? last);
    const client = this.#clients.get(clientId) ?? { arrived: [], preempted: [], counter };
    this.#clients.set(clientId, client);
    client.counter += weight;
  }

  #join(clientId: string): NaiveClient {
    const known = this.#clients.get(clientId);
    if (known !== undefined && isWaiting(known)) return known;
    const client = known ?? { arrived: [], preempted: [], counter: 0 };
    const last = this.#last?.counter ?? 0;
    const lift = this.#next()?.counter ?? last;
    client.counter = Math.max(client.counter, lift);
    for (const [id, each] of this.#clients) {
      const isForgotten = !isWaiting(each) && each !== this.#last;
      if (isForgotten && each.counter <= Math.min(last, lift)) this.#clients.delete(id);
    }
    this.#clients.set(clientId, client);
    return client;
  }

  #next(): NaiveClient | undefined {
    return [...this.#clients.values()]
      .filter(isWaiting)
      .reduce<NaiveClient | undefined>(
        (next, client) => (next === undefined || client.counter < next.counter ? client : next),
        undefined,
      );
  }
}

function isWaiting({ arrived, preempted }: NaiveClient): boolean {
  return arrived.length + preempted.length > 0;
}
