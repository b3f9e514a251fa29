/** A value, and how many before it this reader did not get. */
export interface Delivery<T> {
  readonly value: T;
  readonly lost: number;
}

/** Values for a reader that may be slow: beyond the capacity the oldest is lost, and counted. */
export class LossyQueue<T> {
  readonly #capacity: number;
  readonly #values: T[] = [];
  #lost = 0;
  #wake: () => void = () => {};

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(value: T): void {
    if (this.#values.length === this.#capacity) {
      this.#values.shift();
      this.#lost++;
    }
    this.#values.push(value);
    this.#wake();
  }

  /** What comes, until the signal fires; then throws its reason. */
  async *read(signal: AbortSignal): AsyncGenerator<Delivery<T>, void, undefined> {
    const stop = (): void => this.#wake();
    signal.addEventListener('abort', stop);
    try {
      for (;;) {
        signal.throwIfAborted();
        const value = this.#values.shift();
        if (value === undefined) await this.#more();
        else yield { value, lost: this.#takeLost() };
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
