export interface DeliveryQueueOptions {
  /** Runs a task later, in the order given. */
  readonly schedule: (task: () => void) => void;
  /** Messages that may wait. */
  readonly capacity: number;
}

/** Runs tasks later, in order; messages are bounded, barriers are not. */
export class DeliveryQueue {
  readonly #schedule: (task: () => void) => void;
  readonly #capacity: number;
  #tasks: (() => void)[] = [];
  #messages = 0;

  constructor(options: DeliveryQueueOptions) {
    this.#schedule = options.schedule;
    this.#capacity = options.capacity;
  }

  /** Takes all deliveries of one message, or throws and takes none. */
  deliver(deliveries: readonly (() => void)[]): void {
    if (this.#messages + deliveries.length > this.#capacity) {
      throw new Error(
        `the memory broker holds ${this.#messages} undelivered messages and may hold ${this.#capacity}`,
      );
    }
    for (const delivery of deliveries) {
      this.#messages += 1;
      this.#append(() => {
        this.#messages -= 1;
        delivery();
      });
    }
  }

  /** Resolves once everything queued before it was delivered. */
  barrier(): Promise<void> {
    return new Promise((resolve) => this.#append(resolve));
  }

  #append(task: () => void): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#schedule(() => this.#runBatch());
  }

  #runBatch(): void {
    const batch = this.#tasks;
    this.#tasks = [];
    for (const task of batch) task();
  }
}
