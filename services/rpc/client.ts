import { randomUUID } from 'node:crypto';
import type { Bus, BusMessage, Subscription } from '../bus/bus.ts';
import { ClientCall, type ClientCallOptions } from './client-call.ts';
import { type ClientFrame, decodeServerFrame, encodeClientFrame } from './frames.ts';
import { methodName, type ServerStreamingMethod, type UnaryMethod } from './method.ts';
import { RpcError } from './status.ts';
import { ApiSubjects } from './subjects.ts';

export interface RpcClientOptions {
  readonly cluster: string;
  /** Calls beyond this number are refused with RESOURCE_EXHAUSTED. */
  readonly maxOpenCalls?: number;
  /** Time for a server to accept a call. */
  readonly connectTimeoutMs?: number;
  /** Time that a server may be silent, heartbeats included. */
  readonly idleTimeoutMs?: number;
  /** Messages of one call that may wait for its reader. */
  readonly maxBufferedMessages?: number;
  readonly maxBufferedBytes?: number;
}

export interface CallOptions {
  /** Cancels the call when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Host time that the call may take; a stream has no limit of its own, a unary call 60 s. */
  readonly timeoutMs?: number | undefined;
  readonly metadata?: ReadonlyMap<string, string> | undefined;
}

const DEFAULTS = {
  maxOpenCalls: 1_024,
  connectTimeoutMs: 3_000,
  idleTimeoutMs: 30_000,
  maxBufferedMessages: 16_384,
  maxBufferedBytes: 16 * 2 ** 20,
};
const UNARY_TIMEOUT_MS = 60_000;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const READER_LEFT = new RpcError('CANCELLED', 'the reader left the stream');

type AnyMethod<Request, Response> =
  | UnaryMethod<Request, Response>
  | ServerStreamingMethod<Request, Response>;

/** Calls methods over a bus; one inbox receives the answers to all of them. */
export class RpcClient {
  readonly #bus: Bus;
  readonly #subjects: ApiSubjects;
  readonly #options: Required<RpcClientOptions>;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #calls = new Map<string, ClientCall>();
  #closed = false;
  #droppedFrames = 0;

  constructor(bus: Bus, options: RpcClientOptions) {
    this.#bus = bus;
    this.#subjects = new ApiSubjects(options.cluster);
    this.#options = { ...DEFAULTS, ...options };
    this.#inbox = bus.newInbox();
    this.#subscription = bus.subscribe(`${this.#inbox}.*`, (message) => this.#onMessage(message));
    bus.onStatus((status) => {
      if (status !== 'reconnected') this.#failAll('the connection to the broker was lost');
    });
  }

  /** Starts with the first read; leaving the loop early cancels the call. */
  async *callServerStreaming<Request, Response>(
    method: ServerStreamingMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    yield* this.#run(method, request, options);
  }

  async callUnary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? UNARY_TIMEOUT_MS;
    const responses: Response[] = [];
    for await (const response of this.#run(method, request, { ...options, timeoutMs })) {
      responses.push(response);
      if (responses.length > 1) break;
    }
    const [response] = responses;
    if (response !== undefined && responses.length === 1) return response;
    throw new RpcError('INTERNAL', `${methodName(method)} must answer once`);
  }

  /** Fails what is open with CANCELLED. The bus stays open: it belongs to the caller. */
  close(): void {
    this.#closed = true;
    this.#subscription.unsubscribe();
    for (const call of this.#calls.values()) {
      call.abort(new RpcError('CANCELLED', 'the client was closed'));
    }
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  /** Duplicate, late and malformed frames. */
  get droppedFrames(): number {
    return this.#droppedFrames;
  }

  async *#run<Request, Response>(
    method: AnyMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): AsyncGenerator<Response, void, undefined> {
    const { signal } = options;
    if (signal?.aborted) throw RpcError.fromAbort(signal.reason);
    const payload = method.encodeRequest(request);
    const callId = randomUUID();
    const call = this.#register(callId, options.timeoutMs);
    const onAbort = () => call.abort(RpcError.fromAbort(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    let failure = READER_LEFT;
    try {
      this.#open({ callId, method: methodName(method), payload, options });
      for (;;) {
        const bytes = await call.next();
        if (bytes === undefined) return;
        yield decodeResponse(method, bytes);
      }
    } catch (error) {
      failure = RpcError.from(error);
      throw failure;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#release(callId, { call, failure });
    }
  }

  #register(callId: string, timeoutMs: number | undefined): ClientCall {
    if (this.#closed) throw new RpcError('FAILED_PRECONDITION', 'the client is closed');
    checkTimeout(timeoutMs);
    const { maxOpenCalls } = this.#options;
    if (this.#calls.size >= maxOpenCalls) {
      throw new RpcError('RESOURCE_EXHAUSTED', `the client already has ${maxOpenCalls} open calls`);
    }
    const options: ClientCallOptions = { ...this.#options, timeoutMs };
    const call = new ClientCall(options);
    this.#calls.set(callId, call);
    return call;
  }

  #open(call: {
    readonly callId: string;
    readonly method: string;
    readonly payload: Uint8Array;
    readonly options: CallOptions;
  }): void {
    const { callId, method, payload, options } = call;
    const metadata = options.metadata ?? new Map<string, string>();
    const timeoutMs = options.timeoutMs ?? 0;
    const replyTo = `${this.#inbox}.${callId}`;
    const frame = { kind: 'open', callId, method, timeoutMs, payload, metadata } as const;
    this.#publish(this.#subjects.method(method), frame, replyTo);
  }

  /** Forgets the call, and cancels it where the server may still be at work on it. */
  #release(callId: string, { call, failure }: { call: ClientCall; failure: RpcError }): void {
    call.abort(failure);
    this.#calls.delete(callId);
    if (call.endedByServer) return;
    const { serverId } = call;
    const subject =
      serverId === undefined ? this.#subjects.controlOfAll() : this.#subjects.control(serverId);
    try {
      this.#publish(subject, { kind: 'cancel', callId, reason: failure.message });
    } catch {
      // Without a connection the server is not reachable; the call's own error says why it ended.
    }
  }

  #publish(subject: string, frame: ClientFrame, replyTo?: string): void {
    const data = encodeClientFrame(frame);
    try {
      this.#bus.publish(subject, data, replyTo === undefined ? {} : { replyTo });
    } catch (error) {
      throw new RpcError('UNAVAILABLE', 'the connection to the broker is closed', { cause: error });
    }
  }

  #onMessage(message: BusMessage): void {
    const callId = message.subject.slice(this.#inbox.length + 1);
    const call = this.#calls.get(callId);
    if (call !== undefined && message.data.length === 0 && !call.hasStarted) {
      // The broker's own answer to a subject without subscribers.
      call.fail(new RpcError('UNAVAILABLE', 'no server of the cluster is listening'));
      return;
    }
    const frame = decodeServerFrame(message.data);
    if (frame?.callId !== callId || !call?.receive(frame)) this.#droppedFrames += 1;
  }

  #failAll(reason: string): void {
    for (const call of this.#calls.values()) call.fail(new RpcError('UNAVAILABLE', reason));
  }
}

function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined) return;
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw new RpcError(
    'INVALID_ARGUMENT',
    `timeoutMs must be a whole number from 1 to ${MAX_TIMEOUT_MS}, not ${timeoutMs}`,
  );
}

function decodeResponse<Response>(
  method: { readonly decodeResponse: (bytes: Uint8Array) => Response },
  bytes: Uint8Array,
): Response {
  try {
    return method.decodeResponse(bytes);
  } catch (error) {
    throw new RpcError('INTERNAL', 'the server sent an unreadable response', { cause: error });
  }
}
