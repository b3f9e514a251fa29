import type { ServerResponse } from 'node:http';
import { RpcError } from '../rpc/status.ts';
import { HttpError } from './http-error.ts';

/** The requests that are being answered: how much they may be, and what ends them early. */
export class OpenRequests {
  readonly #open = new Set<AbortController>();
  readonly #mostPrompts: () => number;
  #prompts = 0;
  #closed = false;
  #emptied: () => void = () => {};

  /** `mostPrompts` is asked at every request. */
  constructor(mostPrompts: () => number) {
    this.#mostPrompts = mostPrompts;
  }

  get count(): number {
    return this.#open.size;
  }

  /**
   * Takes a request of so many prompts in until its response is over; the signal fires when the
   * client leaves before that. Throws 503 where it would be too much.
   */
  open(response: ServerResponse, prompts: number): AbortSignal {
    if (this.#closed) throw new HttpError(503, 'the gateway is shutting down');
    const most = this.#mostPrompts();
    if (this.#prompts + prompts > most) {
      throw new HttpError(
        503,
        `the gateway answers ${this.#prompts} prompts and may answer ${most} at the same time`,
      );
    }
    const controller = new AbortController();
    const leave = (): void => controller.abort(new RpcError('CANCELLED', 'the client left'));
    if (response.destroyed) {
      leave();
      return controller.signal;
    }
    this.#open.add(controller);
    this.#prompts += prompts;
    response.once('close', () => {
      this.#open.delete(controller);
      this.#prompts -= prompts;
      if (!response.writableFinished) leave();
      if (this.#open.size === 0) this.#emptied();
    });
    return controller.signal;
  }

  /**
   * Takes no more, and after `drainMs` ends those that are left with UNAVAILABLE; resolves when the
   * last response is over.
   */
  async close(drainMs = 0): Promise<void> {
    this.#closed = true;
    if (this.#open.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    if (drainMs > 0) await this.#within(emptied, drainMs);
    for (const controller of this.#open) {
      controller.abort(new RpcError('UNAVAILABLE', 'the gateway is shutting down'));
    }
    if (this.#open.size > 0) await emptied;
  }

  async #within(emptied: Promise<void>, limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([emptied, limit]);
    clearTimeout(timer);
  }
}
