import { createInterface } from 'node:readline';
import { PromptLines } from './prompt-lines.ts';

/** Where the prompts of a chat come from. */
export interface PromptReader {
  /** The next prompt; undefined where there are no more. */
  next(): Promise<string | undefined>;
  close(): void;
}

/** Reads prompts line by line from what is no terminal; shows nothing. */
export class PipedReader implements PromptReader {
  readonly #lines: AsyncIterator<string>;
  readonly #interface;
  readonly #prompts = new PromptLines();

  constructor(input: NodeJS.ReadableStream, signal: AbortSignal) {
    this.#interface = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    this.#lines = this.#interface[Symbol.asyncIterator]();
    signal.addEventListener('abort', () => this.close(), { once: true });
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      // What was begun and not closed is a prompt too.
      if (done) return this.#prompts.take();
      const prompt = this.#prompts.push(value);
      if (prompt !== undefined) return prompt;
    }
  }

  close(): void {
    this.#interface.close();
  }
}
