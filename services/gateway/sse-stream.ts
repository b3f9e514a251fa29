import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

export interface SseStreamOptions {
  readonly response: ServerResponse;
  /** Called before the headers are sent; returns those that are not about the stream. */
  readonly open: () => OutgoingHttpHeaders;
  /** A reader that takes nothing for so long is cut off. */
  readonly slowReaderTimeoutMs: number;
  readonly onCut: () => void;
}

/** The last frame of every stream. */
export const DONE_FRAME = 'data: [DONE]\n\n';

/** An event of a stream, from JSON without line breaks. */
export function sseFrame(json: string): string {
  return `data: ${json}\n\n`;
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // Proxies that gather a response would take the stream out of streaming.
  'x-accel-buffering': 'no',
};

/**
 * A response of server-sent events. What is written in one turn of the event loop goes out in one
 * piece. It holds no more than what its writers wrote before they heard that the reader is slow;
 * a reader that stays slow is cut off.
 */
export class SseStream {
  readonly #options: SseStreamOptions;
  readonly #response: ServerResponse;
  #pending = '';
  #isOpen = false;
  #isScheduled = false;
  #drained: Promise<void> | undefined;

  constructor(options: SseStreamOptions) {
    this.#options = options;
    this.#response = options.response;
  }

  /** Whether the status has been sent, so that errors are frames from here on. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends the headers; what was written before follows them. */
  open(): void {
    this.#isOpen = true;
    this.#response.writeHead(200, { ...this.#options.open(), ...HEADERS });
    this.#response.flushHeaders();
    this.#schedule();
  }

  /** Takes frames; where it returns a promise, the writer is to wait before it writes more. */
  write(frames: string): Promise<void> | undefined {
    this.#pending += frames;
    this.#schedule();
    return this.#drained;
  }

  /** Writes the last frames; resolves when the reader has them, or is gone. */
  async end(frames: string): Promise<void> {
    const cut = this.#cutLater();
    const rest = this.#pending + frames;
    this.#pending = '';
    await new Promise<void>((resolve) => {
      this.#response.once('close', resolve);
      this.#response.end(rest, resolve);
      if (this.#response.destroyed) resolve();
    });
    clearTimeout(cut);
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isOpen || this.#pending === '') return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const frames = this.#pending;
    this.#pending = '';
    if (frames === '' || this.#response.destroyed || this.#response.writableEnded) return;
    if (!this.#response.write(frames)) this.#drained ??= this.#drain();
  }

  async #drain(): Promise<void> {
    const cut = this.#cutLater();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#response.on('close', done);
    });
    clearTimeout(cut);
    this.#drained = undefined;
  }

  #cutLater(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#options.onCut();
      this.#response.destroy();
    }, this.#options.slowReaderTimeoutMs);
  }
}
