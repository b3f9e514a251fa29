import type { ServerResponse } from 'node:http';
import { RpcError } from '../rpc/status.ts';
import { HttpError } from './http-error.ts';

/** The requests that are being answered: how many they may be, and what ends them early. */
export class OpenRequests {
  readonly #open = new Set<AbortController>();
  readonly #most: () => number;
  #closed = false;

  constructor(most: () => number) {
    this.#most = most;
  }

  get count(): number {
    return this.#open.size;
  }

  /**
   * Takes a request in until its response is over; the signal fires when the client leaves before
   * that. Throws 503 where there are too many.
   */
  open(response: ServerResponse): AbortSignal {
    if (this.#closed) throw new HttpError(503, 'the gateway is shutting down');
    if (this.#open.size >= this.#most()) {
      throw new HttpError(503, `the gateway already answers ${this.#open.size} requests`);
    }
    const controller = new AbortController();
    this.#open.add(controller);
    response.once('close', () => {
      this.#open.delete(controller);
      if (!response.writableFinished) {
        controller.abort(new RpcError('CANCELLED', 'the client left'));
      }
    });
    return controller.signal;
  }

  /** Ends all with UNAVAILABLE, and takes no more. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) {
      controller.abort(new RpcError('UNAVAILABLE', 'the gateway is shutting down'));
    }
  }
}
