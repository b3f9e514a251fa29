import { randomUUID } from 'node:crypto';
import type { Bus, BusMessage, Subscription } from '../bus/bus.ts';
import { type CallOptions, checkTimeout } from './call-options.ts';
import { ClientCall, type ClientCallOptions } from './client-call.ts';
import { ClientOutbox } from './client-outbox.ts';
import type { Credit } from './credit.ts';
import { type InterceptedCall, type Interceptor, intercept } from './interceptor.ts';
import { checkMetadata, EMPTY_METADATA } from './metadata.ts';
import {
  type AnyMethod,
  methodName,
  type ServerStreamingMethod,
  type UnaryMethod,
} from './method.ts';
import { decodeServerFrame } from './server-frame.ts';
import { invalidArgument, RpcError } from './status.ts';
import { ApiSubjects, isToken } from './subjects.ts';

export type { CallOptions } from './call-options.ts';

export type ClientInterceptor = Interceptor<CallOptions>;

export interface RpcClientOptions {
  readonly cluster: string;
  /** Calls beyond this number are refused with RESOURCE_EXHAUSTED. */
  readonly maxOpenCalls?: number;
  /** Time for a server to accept a call. */
  readonly connectTimeoutMs?: number;
  /** Silence after which the client asks whether the server is still there. */
  readonly probeAfterMs?: number;
  /** Time that a server may be silent, heartbeats included. */
  readonly idleTimeoutMs?: number;
  /** Messages of one call that may wait for its reader; the server stops while there are so many. */
  readonly maxBufferedMessages?: number;
  /** The same for their bytes, which one message may exceed. */
  readonly maxBufferedBytes?: number;
  /** Through which every call goes, the first one outermost. */
  readonly interceptors?: readonly ClientInterceptor[];
}

const DEFAULTS = {
  maxOpenCalls: 1_024,
  connectTimeoutMs: 3_000,
  // Longer than a server's heartbeats are apart, so that only a silent one is asked.
  probeAfterMs: 3_000,
  idleTimeoutMs: 30_000,
  maxBufferedMessages: 256,
  maxBufferedBytes: 256 * 2 ** 10,
  interceptors: [],
};
const UNARY_TIMEOUT_MS = 60_000;
const READER_LEFT = new RpcError('CANCELLED', 'the reader left the stream');

/** Calls methods over a bus; one inbox receives the answers to all of them. */
export class RpcClient {
  readonly #subjects: ApiSubjects;
  readonly #outbox: ClientOutbox;
  readonly #options: Required<RpcClientOptions>;
  readonly #window: Credit;
  readonly #start: (call: InterceptedCall<CallOptions>) => AsyncIterable<unknown>;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #calls = new Map<string, ClientCall>();
  #closed = false;
  #droppedFrames = 0;

  constructor(bus: Bus, options: RpcClientOptions) {
    this.#subjects = new ApiSubjects(options.cluster);
    this.#outbox = new ClientOutbox(bus, this.#subjects);
    this.#options = { ...DEFAULTS, ...options };
    const { maxBufferedMessages, maxBufferedBytes } = this.#options;
    this.#window = { messages: maxBufferedMessages, bytes: maxBufferedBytes };
    this.#start = intercept(this.#options.interceptors, (call) => this.#run(call));
    this.#inbox = bus.newInbox();
    this.#subscription = bus.subscribe(`${this.#inbox}.*`, (message) => this.#onMessage(message));
    bus.onStatus((status) => {
      if (status !== 'reconnected') this.#failAll('the connection to the broker was lost');
    });
    bus.onForbidden((subject) => {
      for (const call of this.#calls.values()) call.forbidden(subject);
    });
  }

  /** Starts with the first read; leaving the loop early cancels the call. */
  async *callServerStreaming<Request, Response>(
    method: ServerStreamingMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const responses = this.#start({ method, request, context: options });
    yield* responses as AsyncIterable<Response>;
  }

  async callUnary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const context = { ...options, timeoutMs: options.timeoutMs ?? UNARY_TIMEOUT_MS };
    const responses: Response[] = [];
    for await (const response of this.#start({ method, request, context })) {
      responses.push(response as Response);
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

  async *#run({
    method,
    request,
    context,
  }: InterceptedCall<CallOptions>): AsyncGenerator<unknown, void, undefined> {
    const { encodeRequest, decodeResponse } = method as AnyMethod<unknown, unknown>;
    const { signal, metadata = EMPTY_METADATA, timeoutMs = 0, onHeader, onTrailer } = context;
    const { serverId } = context;
    checkServerId(serverId);
    if (signal?.aborted) throw RpcError.fromAbort(signal.reason);
    checkMetadata('metadata', metadata);
    const payload = encodeRequest(request);
    const callId = randomUUID();
    const subject = this.#subjects.method(methodName(method), serverId);
    const call = this.#register(callId, { subject, timeoutMs: context.timeoutMs });
    const onAbort = () => call.abort(RpcError.fromAbort(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    let failure = READER_LEFT;
    try {
      const open = { callId, method: methodName(method), timeoutMs, payload, metadata };
      const place = { subject, replyTo: this.#replyTo(callId) };
      this.#outbox.open({ ...open, credit: this.#window }, place);
      for (let event = await call.next(); event !== undefined; event = await call.next()) {
        if (event.kind === 'headers') onHeader?.(event.headers);
        else yield readResponse(decodeResponse, event.payload);
      }
    } catch (error) {
      failure = RpcError.from(error);
      throw failure;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#release(callId, { call, failure });
      if (call.trailers !== undefined) onTrailer?.(call.trailers);
    }
  }

  #register(
    callId: string,
    { subject, timeoutMs }: Pick<ClientCallOptions, 'subject' | 'timeoutMs'>,
  ): ClientCall {
    if (this.#closed) throw new RpcError('FAILED_PRECONDITION', 'the client is closed');
    checkTimeout(timeoutMs);
    const { maxOpenCalls } = this.#options;
    if (this.#calls.size >= maxOpenCalls) {
      throw new RpcError('RESOURCE_EXHAUSTED', `the client already has ${maxOpenCalls} open calls`);
    }
    const call = new ClientCall({
      ...this.#options,
      subject,
      timeoutMs,
      window: this.#window,
      grant: (grant) => this.#outbox.grant({ callId, ...grant }, this.#replyTo(callId)),
    });
    this.#calls.set(callId, call);
    return call;
  }

  /** Forgets the call, and cancels it where the server may still be at work on it. */
  #release(callId: string, { call, failure }: { call: ClientCall; failure: RpcError }): void {
    call.abort(failure);
    this.#calls.delete(callId);
    if (call.trailers !== undefined) return;
    this.#outbox.cancel({ callId, serverId: call.serverId, reason: failure.message });
  }

  #onMessage(message: BusMessage): void {
    const callId = message.subject.slice(this.#inbox.length + 1);
    const call = this.#calls.get(callId);
    if (message.data.length === 0) {
      // The broker's own answer to a subject without subscribers, or a server's that does not know
      // the call: the one that it has ended, where a grant crossed its end.
      call?.serverGone();
      return;
    }
    const frame = decodeServerFrame(message.data);
    if (frame?.callId === callId && call?.receive(frame)) return;
    this.#droppedFrames += 1;
    const isHeartbeat = frame?.body.kind === 'heartbeat';
    if (call === undefined && isHeartbeat && message.replyTo !== undefined) {
      this.#outbox.disown(message.replyTo);
    }
  }

  #replyTo(callId: string): string {
    return `${this.#inbox}.${callId}`;
  }

  #failAll(reason: string): void {
    for (const call of this.#calls.values()) call.fail(new RpcError('UNAVAILABLE', reason));
  }
}

function checkServerId(serverId: string | undefined): void {
  if (serverId === undefined || isToken(serverId)) return;
  throw invalidArgument('serverId must be 1 to 64 letters, digits, "-" or "_"');
}

function readResponse(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    throw new RpcError('INTERNAL', 'the server sent an unreadable response', { cause: error });
  }
}
