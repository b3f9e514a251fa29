import { allowsMore, type Credit, NO_CREDIT, withMessage } from './credit.ts';

/**
 * The client's account of one call: keeps what is on its way or waits for the reader within a
 * window, plus the message that overdraws it.
 */
export class CreditWindow {
  readonly #size: Credit;
  #granted: Credit;
  #received = NO_CREDIT;
  #taken = NO_CREDIT;

  constructor(size: Credit) {
    this.#size = size;
    this.#granted = size;
  }

  /** What the server may send, from the start of the call. */
  get granted(): Credit {
    return this.#granted;
  }

  /** A message arrived; false where the server had no credit for it. */
  receive(bytes: number): boolean {
    if (!allowsMore(this.#granted, this.#received)) return false;
    this.#received = withMessage(this.#received, bytes);
    return true;
  }

  /** The reader took a message; whether the grant grew, half of the window being used up. */
  take(bytes: number): boolean {
    this.#taken = withMessage(this.#taken, bytes);
    const { messages, bytes: windowBytes } = this.#size;
    const left = this.#granted.messages - this.#taken.messages;
    const leftBytes = this.#granted.bytes - this.#taken.bytes;
    if (left > messages / 2 && leftBytes > windowBytes / 2) return false;
    this.#granted = {
      messages: this.#taken.messages + messages,
      bytes: this.#taken.bytes + windowBytes,
    };
    return true;
  }
}
