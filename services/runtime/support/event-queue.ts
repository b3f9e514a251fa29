/** Values pushed by one side and read in order by the other; ends, or fails with an error. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  #values: T[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /**
   * `capacity` is the most that may wait; more fails the queue, because the reader has been left
   * behind.
   */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(value: T): void {
    if (this.#ended) return;
    if (this.#values.length >= this.#capacity) {
      this.fail(new Error(`more than ${this.#capacity} events wait for a reader`));
      return;
    }
    this.#values.push(value);
    this.#wake?.();
  }

  /** No more values come; those that wait are still read. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The reader gets what waits, then the error. */
  fail(error: Error): void {
    this.#error ??= error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const values = this.#values;
      this.#values = [];
      yield* values;
      if (this.#values.length > 0) continue;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
