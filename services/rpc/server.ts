import type { Bus, BusMessage, Subscription } from '../bus/bus.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';
import { decodeClientFrame, encodeServerFrame, type OpenFrame } from './frames.ts';
import { methodName, type ServerStreamingMethod, type UnaryMethod } from './method.ts';
import { type CallContext, ServerCall } from './server-call.ts';
import { RpcError } from './status.ts';
import { ApiSubjects, isReplySubject, isToken } from './subjects.ts';

export interface RpcServerOptions {
  readonly cluster: string;
  /** Names this server among those of the cluster. */
  readonly serverId: string;
  /** Calls beyond this number are refused with RESOURCE_EXHAUSTED. */
  readonly maxOpenCalls?: number;
  /** A call with nothing to say says so as often. */
  readonly heartbeatIntervalMs?: number;
}

export type StreamingHandler<Request, Response> = (
  request: Request,
  call: CallContext,
) => AsyncIterable<Response>;

export type UnaryHandler<Request, Response> = (
  request: Request,
  call: CallContext,
) => Response | Promise<Response>;

type BytesHandler = (payload: Uint8Array, call: CallContext) => AsyncIterable<Uint8Array>;

const MAX_OPEN_CALLS = 1_024;
const HEARTBEAT_INTERVAL_MS = 2_000;
const QUEUE = 'api';
/** The longest delay of a timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Serves methods on a bus; any number of servers share the calls of a cluster. */
export class RpcServer {
  readonly #bus: Bus;
  readonly #serverId: string;
  readonly #subjects: ApiSubjects;
  readonly #maxOpenCalls: number;
  readonly #heartbeatIntervalMs: number;
  readonly #handlers = new Map<string, BytesHandler>();
  readonly #services = new Map<string, Subscription>();
  readonly #controls: readonly Subscription[];
  readonly #calls = new Map<string, ServerCall>();
  #droppedFrames = 0;

  constructor(bus: Bus, options: RpcServerOptions) {
    if (!isToken(options.serverId)) {
      throw new InvalidArgumentError(
        `serverId must be 1 to 64 letters, digits, "-" or "_", not "${options.serverId}"`,
      );
    }
    this.#bus = bus;
    this.#serverId = options.serverId;
    this.#subjects = new ApiSubjects(options.cluster);
    this.#maxOpenCalls = options.maxOpenCalls ?? MAX_OPEN_CALLS;
    this.#heartbeatIntervalMs = options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS;
    const controls = [this.#subjects.control(this.#serverId), this.#subjects.controlOfAll()];
    this.#controls = controls.map((subject) =>
      bus.subscribe(subject, (message) => this.#onControl(message)),
    );
    bus.onStatus((status) => {
      if (status === 'closed') this.#abortAll('the connection to the broker is closed');
    });
  }

  serverStreaming<Request, Response>(
    method: ServerStreamingMethod<Request, Response>,
    handler: StreamingHandler<Request, Response>,
  ): void {
    this.#register(method, async function* (payload, call) {
      const request = decodeRequest(method, payload);
      for await (const response of handler(request, call)) yield method.encodeResponse(response);
    });
  }

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void {
    this.#register(method, async function* (payload, call) {
      yield method.encodeResponse(await handler(decodeRequest(method, payload), call));
    });
  }

  /** Takes no more calls, ends the open ones with UNAVAILABLE, and resolves once that is sent. */
  async stop(): Promise<void> {
    for (const subscription of [...this.#services.values(), ...this.#controls]) {
      subscription.unsubscribe();
    }
    this.#abortAll('the server is stopping');
    await this.#bus.flush();
  }

  /** Calls whose handlers have not finished. */
  get openCalls(): number {
    return this.#calls.size;
  }

  /** Frames that were no valid part of any call. */
  get droppedFrames(): number {
    return this.#droppedFrames;
  }

  #register(method: { service: string; method: string }, handler: BytesHandler): void {
    this.#handlers.set(methodName(method), handler);
    if (this.#services.has(method.service)) return;
    // The whole service, so that a method it does not have is UNIMPLEMENTED and not silence.
    const subject = this.#subjects.method(`${method.service}.*`);
    const onMessage = (message: BusMessage) => this.#onRequest(message);
    this.#services.set(method.service, this.#bus.subscribe(subject, onMessage, { queue: QUEUE }));
  }

  #onRequest(message: BusMessage): void {
    const { replyTo } = message;
    const frame = decodeClientFrame(message.data);
    if (frame === undefined || replyTo === undefined || !isReplySubject(replyTo)) {
      this.#droppedFrames += 1;
      return;
    }
    try {
      if (frame.kind !== 'open') throw invalid('the first frame of a call must be Open');
      this.#open(frame, { replyTo, subjectMethod: this.#subjects.methodOf(message.subject) });
    } catch (error) {
      this.#refuse(frame.callId, { replyTo, error: RpcError.from(error) });
    }
  }

  #open(frame: OpenFrame, route: { replyTo: string; subjectMethod: string }): void {
    const { callId } = frame;
    const handler = this.#admit(frame, route.subjectMethod);
    const call = new ServerCall({
      bus: this.#bus,
      callId,
      replyTo: route.replyTo,
      serverId: this.#serverId,
      timeoutMs: frame.timeoutMs,
      heartbeatIntervalMs: this.#heartbeatIntervalMs,
    });
    const context = {
      signal: call.signal,
      deadlineMs: frame.timeoutMs > 0 ? Date.now() + frame.timeoutMs : undefined,
      metadata: frame.metadata,
    };
    this.#calls.set(callId, call);
    void call.run(() => handler(frame.payload, context)).finally(() => this.#calls.delete(callId));
  }

  /**
   * Permissions guard the subject, so the frame may not name another method than the subject does.
   */
  #admit(frame: OpenFrame, subjectMethod: string): BytesHandler {
    if (frame.method !== subjectMethod) {
      throw invalid(`method must be "${subjectMethod}", as the subject says`);
    }
    if (frame.timeoutMs > MAX_TIMEOUT_MS) {
      throw invalid(`timeout_ms must be at most ${MAX_TIMEOUT_MS}, not ${frame.timeoutMs}`);
    }
    if (this.#calls.has(frame.callId)) {
      throw new RpcError('ALREADY_EXISTS', 'call_id must not be that of an open call');
    }
    if (this.#calls.size >= this.#maxOpenCalls) {
      throw new RpcError(
        'RESOURCE_EXHAUSTED',
        `the server already has ${this.#maxOpenCalls} open calls`,
      );
    }
    const handler = this.#handlers.get(frame.method);
    if (handler === undefined) {
      throw new RpcError('UNIMPLEMENTED', 'this server does not have that method');
    }
    return handler;
  }

  /** The only frame of a call that was never accepted. */
  #refuse(callId: string, { replyTo, error }: { replyTo: string; error: RpcError }): void {
    const status = { code: error.code, message: error.message };
    const body = { kind: 'end', status, messageCount: 0 } as const;
    this.#bus.publish(replyTo, encodeServerFrame({ callId, sequence: 0, body }));
  }

  #onControl(message: BusMessage): void {
    const frame = decodeClientFrame(message.data);
    if (frame?.kind !== 'cancel') {
      this.#droppedFrames += 1;
      return;
    }
    // An unknown call has just ended, or belongs to another server.
    const reason = `the client cancelled the call: ${frame.reason}`;
    this.#calls.get(frame.callId)?.abort(new RpcError('CANCELLED', reason));
  }

  #abortAll(reason: string): void {
    for (const call of this.#calls.values()) call.abort(new RpcError('UNAVAILABLE', reason));
  }
}

function decodeRequest<Request>(
  method: { readonly decodeRequest: (bytes: Uint8Array) => Request },
  payload: Uint8Array,
): Request {
  try {
    return method.decodeRequest(payload);
  } catch (error) {
    if (error instanceof RpcError || error instanceof InvalidArgumentError) throw error;
    throw new RpcError('INVALID_ARGUMENT', 'the payload is not a request of this method', {
      cause: error,
    });
  }
}

function invalid(message: string): RpcError {
  return new RpcError('INVALID_ARGUMENT', message);
}
