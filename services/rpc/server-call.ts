import type { Bus } from '../bus/bus.ts';
import type { CallContext } from './call-context.ts';
import type { Credit } from './credit.ts';
import { CreditGate } from './credit-gate.ts';
import { EMPTY_METADATA, type Metadata } from './metadata.ts';
import { ResponseMetadata } from './response-metadata.ts';
import { encodeServerFrame, type ServerFrameBody } from './server-frame.ts';
import { RpcError, type Status } from './status.ts';

export interface ServerCallOptions {
  readonly bus: Bus;
  readonly callId: string;
  readonly replyTo: string;
  /** Where an empty message says that nobody has the call any more. */
  readonly abandonedTo: string;
  readonly serverId: string;
  /** 0 means no limit. */
  readonly timeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** What the client lets the server send at first. */
  readonly credit: Credit;
  /** How long the client may leave the call without credit. */
  readonly stallTimeoutMs: number;
}

/**
 * A publish has no back-pressure of its own: after so many messages the call waits for the broker.
 */
const MESSAGES_PER_FLUSH = 64;
const MAX_STATUS_CHARACTERS = 4_096;
const OK: Status = { code: 'OK', message: '', details: [] };

/**
 * The server's side of one accepted call: numbers its frames, sends no message without credit, and
 * ends it exactly once.
 */
export class ServerCall {
  readonly #options: ServerCallOptions;
  readonly #controller = new AbortController();
  readonly #gate: CreditGate;
  readonly #deadline: NodeJS.Timeout | undefined;
  readonly #deadlineMs: number | undefined;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #metadata = new ResponseMetadata();
  #sequence = 0;
  #messageCount = 0;
  #status: Status | undefined;
  #interrupt: (error: RpcError) => void = () => {};

  constructor(options: ServerCallOptions) {
    this.#options = options;
    this.#gate = new CreditGate(options.credit);
    const { timeoutMs, heartbeatIntervalMs } = options;
    this.#heartbeat = setInterval(() => this.#attempt({ kind: 'heartbeat' }), heartbeatIntervalMs);
    if (timeoutMs === 0) return;
    this.#deadline = setTimeout(() => this.#expire(), timeoutMs);
    this.#deadlineMs = hostTimeMs() + timeoutMs;
  }

  /** What the handler gets to see of the call. */
  context(metadata: Metadata): CallContext {
    const { signal } = this.#controller;
    const deadlineMs = this.#deadlineMs;
    return {
      signal,
      deadlineMs,
      metadata,
      setHeader: (name, value) => this.#metadata.setHeader({ name, value }),
      sendHeaders: () => this.#sendHeaders(),
      setTrailer: (name, value) => this.#metadata.setTrailer({ name, value }),
      onward: () => ({
        signal,
        timeoutMs: deadlineMs && Math.max(1, Math.floor(deadlineMs - hostTimeMs())),
      }),
    };
  }

  /** Sends the messages that `start` produces, then how the call ended. Never rejects. */
  async run(start: () => AsyncIterable<Uint8Array>): Promise<Status> {
    try {
      this.#send({ kind: 'accepted', serverId: this.#options.serverId });
      await this.#stream(start()[Symbol.asyncIterator]());
      this.#sendHeaders();
      return this.#end(OK);
    } catch (error) {
      return this.abort(RpcError.from(error));
    }
  }

  /** The client lets the call send more. */
  grant(credit: Credit): void {
    this.#gate.grant(credit);
  }

  /** Ends the call with an error, at once, whatever its handler is doing; gives how it ended. */
  abort(error: RpcError): Status {
    if (this.#status !== undefined) return this.#status;
    const { code, details } = error;
    const message = error.message.slice(0, MAX_STATUS_CHARACTERS);
    const status = this.#end({ code, message, details });
    this.#controller.abort(error);
    this.#interrupt(error);
    return status;
  }

  async #stream(iterator: AsyncIterator<Uint8Array>): Promise<void> {
    try {
      while (this.#status === undefined) {
        const next = await this.#interruptible(iterator.next());
        if (next.done) return;
        if (!this.#gate.isOpen) await this.#awaitCredit();
        this.#sendMessage(next.value);
        if (this.#messageCount % MESSAGES_PER_FLUSH === 0) {
          await this.#interruptible(this.#options.bus.flush());
        }
      }
    } finally {
      // The call keeps its place until its handler is really finished.
      await iterator.return?.();
    }
  }

  /** The handler waits meanwhile, so that a slow reader costs its call alone. */
  async #awaitCredit(): Promise<void> {
    const { stallTimeoutMs } = this.#options;
    const message = `the reader is too slow: it made no room within ${stallTimeoutMs} ms`;
    const stall = setTimeout(() => {
      this.abort(new RpcError('RESOURCE_EXHAUSTED', message));
    }, stallTimeoutMs);
    try {
      await this.#interruptible(this.#gate.opened());
    } finally {
      clearTimeout(stall);
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

  #sendHeaders(): void {
    const headers = this.#metadata.takeHeaders();
    if (headers !== undefined) this.#send({ kind: 'headers', headers });
  }

  #sendMessage(payload: Uint8Array): void {
    this.#sendHeaders();
    this.#send({ kind: 'message', payload });
    this.#messageCount += 1;
    this.#gate.spend(payload.length);
  }

  #end(status: Status): Status {
    if (this.#status !== undefined) return this.#status;
    const messageCount = this.#messageCount;
    const { trailers } = this.#metadata;
    const bare = { ...status, details: [] };
    // Details that are too large for a frame must not keep the client from learning the code.
    if (!this.#attempt({ kind: 'end', status, messageCount, trailers })) {
      this.#attempt({ kind: 'end', status: bare, messageCount, trailers: EMPTY_METADATA });
    }
    this.#status = status;
    clearTimeout(this.#deadline);
    clearInterval(this.#heartbeat);
    return status;
  }

  /** For frames that nobody waits for: a client that cannot be reached notices by itself. */
  #attempt(body: ServerFrameBody): boolean {
    try {
      this.#send(body);
      return true;
    } catch (error) {
      if (error instanceof RpcError) return false;
      this.#controller.abort(new RpcError('UNAVAILABLE', 'the connection to the broker is lost'));
      return false;
    }
  }

  #send(body: ServerFrameBody): void {
    if (this.#status !== undefined) return;
    const { bus, callId, replyTo, abandonedTo } = this.#options;
    const frame = encodeServerFrame({ callId, sequence: this.#sequence, body });
    bus.publish(replyTo, frame, body.kind === 'heartbeat' ? { replyTo: abandonedTo } : {});
    this.#sequence += 1;
    this.#heartbeat.refresh();
  }
}

/** Since the epoch, but on a clock that nobody sets back. */
function hostTimeMs(): number {
  return performance.timeOrigin + performance.now();
}
