import type { Bus, BusMessage, Subscription } from '../bus/bus.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';
import { CallCounts } from './call-counts.ts';
import { MAX_TIMEOUT_MS } from './call-options.ts';
import { type CreditFrame, decodeClientFrame, type OpenFrame } from './client-frame.ts';
import { checkMetadata, EMPTY_METADATA } from './metadata.ts';
import { type Method, methodName, type ServerStreamingMethod, type UnaryMethod } from './method.ts';
import { overloaded } from './overloaded.ts';
import {
  type ServedMethod,
  type ServerInterceptor,
  type StreamingHandler,
  serveMethod,
  streamOfOne,
  type UnaryHandler,
} from './served-method.ts';
import { ServerCall } from './server-call.ts';
import { encodeServerFrame } from './server-frame.ts';
import { ServiceRegistry } from './service-registry.ts';
import { invalidArgument, RpcError, type Status } from './status.ts';
import { ApiSubjects, isReplySubject, isToken } from './subjects.ts';

export interface RpcServerOptions {
  readonly cluster: string;
  /** Names this server among those of the cluster. */
  readonly serverId: string;
  /** Calls beyond this number are refused with RESOURCE_EXHAUSTED. */
  readonly maxOpenCalls?: number;
  /** A call with nothing to say says so as often. */
  readonly heartbeatIntervalMs?: number;
  /** A call whose reader makes no room for so long ends with RESOURCE_EXHAUSTED. */
  readonly stallTimeoutMs?: number;
  /** Through which every call goes, the first one outermost. */
  readonly interceptors?: readonly ServerInterceptor[];
  /** Semantic version that discovery shows. */
  readonly version?: string;
}

const DEFAULTS = {
  maxOpenCalls: 1_024,
  heartbeatIntervalMs: 2_000,
  stallTimeoutMs: 30_000,
  interceptors: [],
  version: '0.0.0',
};

/** Serves methods on a bus; any number of servers share the calls of a cluster. */
export class RpcServer {
  readonly #bus: Bus;
  readonly #options: Required<RpcServerOptions>;
  readonly #subjects: ApiSubjects;
  readonly #registry: ServiceRegistry;
  readonly #inbox: string;
  readonly #controls: readonly Subscription[];
  readonly #calls = new Map<string, ServerCall>();
  readonly #openByMethod = new CallCounts();
  #droppedFrames = 0;

  constructor(bus: Bus, options: RpcServerOptions) {
    const { serverId, cluster } = options;
    if (!isToken(serverId)) {
      throw new InvalidArgumentError(
        `serverId must be 1 to 64 letters, digits, "-" or "_", not "${serverId}"`,
      );
    }
    this.#bus = bus;
    this.#options = { ...DEFAULTS, ...options };
    this.#subjects = new ApiSubjects(cluster);
    this.#registry = new ServiceRegistry({
      ...this.#options,
      bus,
      subjects: this.#subjects,
      onRequest: (message) => this.#onRequest(message),
    });
    const controls = [this.#subjects.control(serverId), this.#subjects.controlOfAll()];
    this.#inbox = bus.newInbox();
    this.#controls = [
      ...controls.map((subject) => bus.subscribe(subject, (message) => this.#onControl(message))),
      bus.subscribe(`${this.#inbox}.*`, (message) => this.#onAbandoned(message)),
    ];
    bus.onStatus((status) => {
      if (status === 'closed') this.#abortAll('the connection to the broker is closed');
    });
  }

  serverStreaming<Request, Response>(
    method: ServerStreamingMethod<Request, Response>,
    handler: StreamingHandler<Request, Response>,
  ): void {
    this.#registry.add(serveMethod(method, handler, this.#options.interceptors));
  }

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void {
    const { interceptors } = this.#options;
    this.#registry.add(serveMethod(method, streamOfOne(handler), interceptors));
  }

  /** Takes no more calls, and resolves when none of the method is open, or after the limit. */
  async drain(method: Method, limitMs: number): Promise<void> {
    this.#registry.stop();
    await this.#openByMethod.untilNone(methodName(method), limitMs);
  }

  /**
   * Takes no more calls, ends the open ones with UNAVAILABLE, and resolves once that is sent, or cannot be because the
   * broker is gone.
   */
  async stop(): Promise<void> {
    this.#registry.stop();
    this.#abortAll('the server is stopping');
    for (const control of this.#controls) control.unsubscribe();
    await this.#bus.flush().catch(() => {});
  }

  /** Names of the services that this server has methods of. */
  get services(): readonly string[] {
    return this.#registry.services;
  }

  /** Calls whose handlers have not finished. */
  get openCalls(): number {
    return this.#calls.size;
  }

  /** Frames that were no valid part of any call. */
  get droppedFrames(): number {
    return this.#droppedFrames;
  }

  #onRequest(message: BusMessage): void {
    const { replyTo } = message;
    const frame = decodeClientFrame(message.data);
    if (frame === undefined || replyTo === undefined || !isReplySubject(replyTo)) {
      this.#droppedFrames += 1;
      return;
    }
    const name = this.#subjects.methodOf(message.subject, this.#options.serverId);
    const served = this.#registry.find(name);
    const count = served?.stats.begin(performance.now());
    const onEnd = (status: Status) => count?.({ nowMs: performance.now(), status });
    try {
      if (frame.kind !== 'open') throw invalidArgument('body must be Open in the first frame');
      this.#open(this.#admit(frame, { name, served }), { frame, replyTo, onEnd });
    } catch (error) {
      onEnd(this.#refuse(frame.callId, { replyTo, error: RpcError.from(error) }));
    }
  }

  #open(
    { run, name }: ServedMethod,
    route: {
      readonly frame: OpenFrame;
      readonly replyTo: string;
      readonly onEnd: (status: Status) => void;
    },
  ): void {
    const { replyTo, onEnd } = route;
    const { callId, timeoutMs, credit, payload, metadata } = route.frame;
    const options = { ...this.#options, bus: this.#bus };
    const abandonedTo = `${this.#inbox}.${callId}`;
    const call = new ServerCall({ ...options, callId, replyTo, abandonedTo, timeoutMs, credit });
    const context = call.context(metadata);
    this.#calls.set(callId, call);
    this.#openByMethod.begin(name);
    void call
      .run(() => run(payload, context))
      .then((status) => {
        this.#calls.delete(callId);
        this.#openByMethod.end(name);
        onEnd(status);
      });
  }

  /**
   * Permissions guard the subject, so the frame may not name another method than the subject does.
   */
  #admit(
    frame: OpenFrame,
    { name, served }: { readonly name: string; readonly served: ServedMethod | undefined },
  ): ServedMethod {
    if (frame.method !== name)
      throw invalidArgument(`method must be "${name}", as the subject says`);
    if (frame.timeoutMs > MAX_TIMEOUT_MS) {
      throw invalidArgument(`timeout_ms must be at most ${MAX_TIMEOUT_MS}, not ${frame.timeoutMs}`);
    }
    checkMetadata('metadata', frame.metadata);
    if (this.#calls.has(frame.callId)) {
      throw new RpcError('ALREADY_EXISTS', 'call_id must not be that of an open call');
    }
    this.#checkRoom();
    if (served === undefined) {
      throw new RpcError('UNIMPLEMENTED', 'this server does not have that method');
    }
    return served;
  }

  #checkRoom(): void {
    const { serverId, maxOpenCalls } = this.#options;
    if (this.#calls.size < maxOpenCalls) return;
    const description = `the server already has ${maxOpenCalls} open calls`;
    throw overloaded({ subject: `server:${serverId}`, description });
  }

  /** The only frame of a call that was never accepted. */
  #refuse(callId: string, { replyTo, error }: { replyTo: string; error: RpcError }): Status {
    const { code, message, details } = error;
    const status = { code, message, details };
    const body = { kind: 'end', status, messageCount: 0, trailers: EMPTY_METADATA } as const;
    this.#bus.publish(replyTo, encodeServerFrame({ callId, sequence: 0, body }));
    return status;
  }

  /** A frame about an unknown call is late, or meant for another server. */
  #onControl(message: BusMessage): void {
    const frame = decodeClientFrame(message.data);
    if (frame?.kind === 'cancel') {
      const reason = `the client cancelled the call: ${frame.reason}`;
      this.#calls.get(frame.callId)?.abort(new RpcError('CANCELLED', reason));
    } else if (frame?.kind === 'credit') this.#grant(frame, message.replyTo);
    else this.#droppedFrames += 1;
  }

  /**
   * A server that starts anew may have the name of the one before, whose calls it does not know: it
   * says so as the broker would for a server that is gone.
   */
  #grant({ callId, credit }: CreditFrame, replyTo: string | undefined): void {
    const call = this.#calls.get(callId);
    if (call !== undefined) call.grant(credit);
    else if (replyTo !== undefined && isReplySubject(replyTo)) {
      this.#bus.publish(replyTo, new Uint8Array());
    }
  }

  /** The answer to a heartbeat that reached nobody: the client is gone, or forgot the call. */
  #onAbandoned({ subject, data }: BusMessage): void {
    const call = this.#calls.get(subject.slice(this.#inbox.length + 1));
    if (data.length === 0) call?.abort(new RpcError('CANCELLED', 'the client has left the call'));
  }

  #abortAll(reason: string): void {
    for (const call of this.#calls.values()) call.abort(new RpcError('UNAVAILABLE', reason));
  }
}
