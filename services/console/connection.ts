import { readEvents } from './event-reader.ts';
import type { ConsoleEvent } from './events.ts';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 5_000;
/** The gateway says something twice a second while its engine answers, and every few seconds else. */
const SILENCE_MS = 12_000;

/** How the page hears of the cluster. */
export interface ConnectionHandlers {
  readonly event: (event: ConsoleEvent) => void;
  /** The gateway does not answer; the next try is after `retryMs`. */
  readonly lost: (message: string, retryMs: number) => void;
  /** The gateway wants a key; nothing is tried before it has another one. */
  readonly locked: () => void;
}

/** Keeps the stream of events open, with the key that is in use. */
export class Connection {
  readonly #handlers: ConnectionHandlers;
  readonly #key: () => string;
  #current: AbortController | undefined;
  #timer: number | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(key: () => string, handlers: ConnectionHandlers) {
    this.#key = key;
    this.#handlers = handlers;
  }

  /** Begins, or begins anew at once. */
  open(): void {
    clearTimeout(this.#timer);
    this.#current?.abort();
    this.#current = new AbortController();
    void this.#read(this.#current);
  }

  async #read(current: AbortController): Promise<void> {
    try {
      const headers = authorization(this.#key());
      const response = await fetch('events', { headers, signal: current.signal });
      if (response.status === 401) return this.#handlers.locked();
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      await this.#follow(response.body, current);
      throw new Error('the gateway ended the stream');
    } catch (error) {
      if (this.#current === current) this.#retry(error);
    }
  }

  async #follow(body: ReadableStream<Uint8Array>, current: AbortController): Promise<void> {
    const silent = (): void => current.abort(new Error('the gateway is silent'));
    let watchdog = setTimeout(silent, SILENCE_MS);
    try {
      for await (const data of readEvents(body)) {
        clearTimeout(watchdog);
        watchdog = setTimeout(silent, SILENCE_MS);
        if (this.#current !== current) return;
        this.#retryMs = FIRST_RETRY_MS;
        this.#handlers.event(JSON.parse(data) as ConsoleEvent);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #retry(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#handlers.lost(message, this.#retryMs);
    this.#timer = setTimeout(() => this.open(), this.#retryMs);
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
  }
}

/** The header that carries a key; none where there is no key. */
export function authorization(key: string): Record<string, string> {
  return key === '' ? {} : { authorization: `Bearer ${key}` };
}
