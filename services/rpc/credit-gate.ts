import { allowsMore, type Credit, NO_CREDIT, withMessage } from './credit.ts';

/** The server's account of one call: shut while the client has not granted another message. */
export class CreditGate {
  #granted: Credit;
  #sent = NO_CREDIT;
  #wake: () => void = () => {};

  constructor(granted: Credit) {
    this.#granted = granted;
  }

  get isOpen(): boolean {
    return allowsMore(this.#granted, this.#sent);
  }

  /** Grants are totals: the larger of two holds, whichever comes last. */
  grant({ messages, bytes }: Credit): void {
    this.#granted = {
      messages: Math.max(this.#granted.messages, messages),
      bytes: Math.max(this.#granted.bytes, bytes),
    };
    if (this.isOpen) this.#wake();
  }

  /** A message was sent. */
  spend(bytes: number): void {
    this.#sent = withMessage(this.#sent, bytes);
  }

  /** Resolves once the gate is open; one waiter at a time. */
  async opened(): Promise<void> {
    while (!this.isOpen) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
