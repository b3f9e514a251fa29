import type { Tokenizer } from './tokenizer.ts';
import { Utf8Decoder } from './utf8.ts';

/**
 * Turns token ids into text one by one; its state follows from the ids alone, so that it can be
 * rebuilt.
 */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #decoder = new Utf8Decoder();
  #previous: number | undefined;

  /**
   * `previous` is the token before the first, such as the last of the prompt; absent at the start
   * of a text.
   */
  constructor(tokenizer: Tokenizer, previous?: number) {
    this.#tokenizer = tokenizer;
    this.#previous = previous;
  }

  /**
   * Returns the text that is certain with this token: a character that needs more bytes waits for
   * them.
   */
  push(id: number): string {
    const bytes = this.#tokenizer.tokenBytes(id, this.#previous);
    this.#previous = id;
    return this.#decoder.push(bytes);
  }

  /** Ends the text: a character that is incomplete becomes U+FFFD. */
  flush(): string {
    return this.#decoder.flush();
  }
}

/**
 * The whole text of a sequence of tokens that starts a text, or that follows the token `previous`.
 */
export function decodeTokens(
  tokenizer: Tokenizer,
  ids: readonly number[],
  previous?: number,
): string {
  const stream = new TextStream(tokenizer, previous);
  return ids.map((id) => stream.push(id)).join('') + stream.flush();
}
