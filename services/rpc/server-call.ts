import type { Bus } from '../bus/bus.ts';
import { encodeServerFrame, type ServerFrameBody } from './frames.ts';
import { RpcError, type Status } from './status.ts';

/** What a handler knows about the call besides its request. */
export interface CallContext {
  /**
   * Fires when the client cancels, the deadline passes or the server stops; its reason is an
   * RpcError.
   */
  readonly signal: AbortSignal;
  /**
   * Host time in milliseconds since the epoch at which the call ends; undefined without a limit.
   */
  readonly deadlineMs: number | undefined;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface ServerCallOptions {
  readonly bus: Bus;
  readonly callId: string;
  readonly replyTo: string;
  readonly serverId: string;
  /** 0 means no limit. */
  readonly timeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/**
 * A publish has no back-pressure of its own: after so many messages the call waits for the broker.
 */
const MESSAGES_PER_FLUSH = 64;
const MAX_STATUS_CHARACTERS = 4_096;

/** The server's side of one accepted call: numbers its frames, and ends it exactly once. */
export class ServerCall {
  readonly #options: ServerCallOptions;
  readonly #controller = new AbortController();
  readonly #deadline: NodeJS.Timeout | undefined;
  readonly #heartbeat: NodeJS.Timeout;
  #sequence = 0;
  #messageCount = 0;
  #ended = false;
  #interrupt: (error: RpcError) => void = () => {};

  constructor(options: ServerCallOptions) {
    this.#options = options;
    const { timeoutMs, heartbeatIntervalMs } = options;
    if (timeoutMs > 0) this.#deadline = setTimeout(() => this.#expire(), timeoutMs);
    this.#heartbeat = setInterval(() => this.#attempt({ kind: 'heartbeat' }), heartbeatIntervalMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Sends the messages that `start` produces, then how the call ended. Never rejects. */
  async run(start: () => AsyncIterable<Uint8Array>): Promise<void> {
    try {
      this.#send({ kind: 'accepted', serverId: this.#options.serverId });
      await this.#stream(start()[Symbol.asyncIterator]());
      this.#end({ code: 'OK', message: '' });
    } catch (error) {
      this.abort(RpcError.from(error));
    }
  }

  /** Ends the call with an error, at once, whatever its handler is doing. */
  abort(error: RpcError): void {
    if (this.#ended) return;
    this.#end({ code: error.code, message: error.message.slice(0, MAX_STATUS_CHARACTERS) });
    this.#controller.abort(error);
    this.#interrupt(error);
  }

  async #stream(iterator: AsyncIterator<Uint8Array>): Promise<void> {
    try {
      while (!this.#ended) {
        const next = await this.#interruptible(iterator.next());
        if (next.done) return;
        this.#send({ kind: 'message', payload: next.value });
        if (this.#messageCount % MESSAGES_PER_FLUSH === 0) {
          await this.#interruptible(this.#options.bus.flush());
        }
      }
    } finally {
      // The call keeps its place until its handler is really finished.
      await iterator.return?.();
    }
  }

  #interruptible<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      promise.then(resolve, reject);
    });
  }

  #expire(): void {
    const { timeoutMs } = this.#options;
    this.abort(new RpcError('DEADLINE_EXCEEDED', `the call took longer than ${timeoutMs} ms`));
  }

  #end(status: Status): void {
    if (this.#ended) return;
    const messageCount = this.#messageCount;
    this.#attempt({ kind: 'end', status, messageCount });
    this.#ended = true;
    clearTimeout(this.#deadline);
    clearInterval(this.#heartbeat);
  }

  /** For frames that nobody waits for: a client that cannot be reached notices by itself. */
  #attempt(body: ServerFrameBody): void {
    try {
      this.#send(body);
    } catch {
      this.#controller.abort(new RpcError('UNAVAILABLE', 'the connection to the broker is lost'));
    }
  }

  #send(body: ServerFrameBody): void {
    if (this.#ended) return;
    const { bus, callId, replyTo } = this.#options;
    bus.publish(replyTo, encodeServerFrame({ callId, sequence: this.#sequence, body }));
    this.#sequence += 1;
    if (body.kind === 'message') this.#messageCount += 1;
    this.#heartbeat.refresh();
  }
}
