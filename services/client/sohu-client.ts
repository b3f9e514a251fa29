import { setMaxListeners } from 'node:events';
import type { Bus } from '../bus/bus.ts';
import { connectNats } from '../bus/nats-bus.ts';
import { type CallOptions, RpcClient } from '../rpc/client.ts';
import { findServers } from '../rpc/discovery/find-servers.ts';
import { type ServingStatus, WHOLE_SERVER } from '../rpc/health/health.ts';
import { HEALTH_CHECK, HEALTH_WATCH } from '../rpc/health/health-service.ts';
import {
  DETOKENIZE,
  GENERATE,
  GET_SERVER_INFO,
  INFERENCE,
  SUBSCRIBE_KV_EVENTS,
  TOKENIZE,
} from '../rpc/inference-methods.ts';
import type {
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  ServerInfo,
} from '../rpc/inference-types.ts';
import { retrying } from '../rpc/retry/retrying.ts';
import { RpcError } from '../rpc/status.ts';
import { TELEMETRY } from '../rpc/telemetry-methods.ts';
import { abortEverywhere } from './abort-everywhere.ts';
import { type BeamSearchRequest, type BeamSearchResult, searchBeams } from './beam-search.ts';
import { checkedBatches } from './checked-batches.ts';
import { checkedEvents } from './checked-events.ts';
import type {
  DetokenizeOptions,
  HealthOptions,
  KvEventsOptions,
  SearchOptions,
  SohuClientOptions,
} from './client-options.ts';
import { type Completion, collectCompletion } from './completion.ts';
import { checkInteger, checkList, checkString, UINT32 } from './field-checks.ts';
import { type GenerateRequest, toGenerateInput } from './request.ts';
import { type ResumeRules, resumeRules } from './resume-rules.ts';
import { type OpenCall, resumedEvents } from './resumed-events.ts';
import { type ServedModel, servedModel } from './served-model.ts';
import { TelemetryClient } from './telemetry-client.ts';

const DEFAULT_CLUSTER = 'sohu';
/** How long engines have to say that they are there. */
const ABORT_DISCOVERY_MS = 100;

/** A connection to one cluster. Everything that fails, fails with an RpcError. */
export class SohuClient {
  readonly #bus: Bus;
  readonly #ownsBus: boolean;
  readonly #rpc: RpcClient;
  readonly #cluster: string;
  readonly #timeoutMs: number | undefined;
  readonly #closing = new AbortController();
  /** Undefined where streams end with their server. */
  readonly #resume: ResumeRules | undefined;
  /** For those who watch the cluster. */
  readonly telemetry: TelemetryClient;

  private constructor(connection: { bus: Bus; ownsBus: boolean }, options: SohuClientOptions) {
    this.#bus = connection.bus;
    this.#ownsBus = connection.ownsBus;
    const { cluster = DEFAULT_CLUSTER, retry = {}, maxOpenCalls } = options;
    const interceptors = retry === false ? [] : [retrying(retry)];
    // One listener for each stream that waits.
    setMaxListeners(0, this.#closing.signal);
    this.#resume = resumeRules(options, this.#closing.signal);
    this.#cluster = cluster;
    this.#rpc = new RpcClient(connection.bus, {
      cluster,
      interceptors,
      ...(maxOpenCalls !== undefined && { maxOpenCalls }),
    });
    this.#timeoutMs = options.timeoutMs;
    this.telemetry = new TelemetryClient({
      rpc: this.#rpc,
      find: (waitMs) => this.#findServers(TELEMETRY, waitMs),
      timeoutMs: this.#timeoutMs,
    });
  }

  /** Connects to the broker at a `nats://host:port` address, or at several with commas between. */
  static async connect(url: string, options: SohuClientOptions = {}): Promise<SohuClient> {
    const bus = await connectBus(url, options.nkeyFile);
    try {
      return SohuClient.#open({ bus, ownsBus: true }, options);
    } catch (error) {
      await bus.close();
      throw error;
    }
  }

  /** Uses a bus that is already open, and leaves it open. */
  static over(bus: Bus, options: SohuClientOptions = {}): SohuClient {
    return SohuClient.#open({ bus, ownsBus: false }, options);
  }

  static #open(
    connection: { readonly bus: Bus; readonly ownsBus: boolean },
    options: SohuClientOptions,
  ): SohuClient {
    try {
      return new SohuClient(connection, options);
    } catch (error) {
      throw RpcError.from(error);
    }
  }

  /** The whole continuation of a prompt, with all its samples. */
  async generate(request: GenerateRequest, options: CallOptions = {}): Promise<Completion> {
    const input = toGenerateInput(request);
    return collectCompletion(this.#events(input, options), input.sampling);
  }

  /**
   * The continuation as it is drawn; `index` tells the samples apart. Starts with the first read;
   * leaving the loop early cancels the request.
   */
  async *generateStream(
    request: GenerateRequest,
    options: CallOptions = {},
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    const input = toGenerateInput(request);
    yield* checkedEvents(this.#events(input, options), input.sampling);
  }

  /** The likeliest continuations that a beam finds; `timeoutMs` is for all of its requests. */
  async beamSearch(
    request: BeamSearchRequest,
    options: SearchOptions = {},
  ): Promise<BeamSearchResult> {
    const callOptions = this.#withDeadline(options);
    return searchBeams(
      {
        generate: (each, signal) => this.generate(each, callOptions(signal)),
        serverInfo: () => this.serverInfo(callOptions()),
        tokenize: (text) => this.tokenize(text, callOptions()),
        detokenize: (tokenIds, { previousTokenId, signal }) =>
          this.detokenize(tokenIds, { previousTokenId, ...callOptions(signal) }),
      },
      request,
    );
  }

  /**
   * Ends requests by their names, whoever made them and whichever engine has them: their streams end
   * well, with the finish reason `abort`. May be repeated; resolves to how many were still open.
   */
  async abort(requestIds: string | readonly string[], options: CallOptions = {}): Promise<number> {
    const names = typeof requestIds === 'string' ? [requestIds] : requestIds;
    checkList('requestIds', names, checkString);
    const find = () => this.#findServers(INFERENCE, ABORT_DISCOVERY_MS);
    const asker = { rpc: this.#rpc, find };
    return abortEverywhere(asker, names, this.#withTimeout(options));
  }

  /** The token ids of a text, as a prompt has them. */
  async tokenize(text: string, options: CallOptions = {}): Promise<readonly number[]> {
    checkString('text', text);
    return this.#rpc.callUnary(TOKENIZE, text, this.#withTimeout(options));
  }

  /** The text that token ids add. */
  async detokenize(
    tokenIds: readonly number[],
    { previousTokenId, ...options }: DetokenizeOptions = {},
  ): Promise<string> {
    checkList('tokenIds', tokenIds, (name, id) => checkInteger(name, id, UINT32));
    if (previousTokenId !== undefined) checkInteger('previousTokenId', previousTokenId, UINT32);
    const input = { tokenIds, previousTokenId };
    return this.#rpc.callUnary(DETOKENIZE, input, this.#withTimeout(options));
  }

  /**
   * What the server's prefix cache gains and loses, in batches with dense numbers, until the loop
   * is left. OUT_OF_RANGE where the server does not keep the batch to start with.
   */
  async *kvEvents(options: KvEventsOptions = {}): AsyncGenerator<KvEventBatch, void, undefined> {
    const { startSequenceNumber, ...callOptions } = options;
    if (startSequenceNumber !== undefined) {
      const range = { from: 0, to: Number.MAX_SAFE_INTEGER };
      checkInteger('startSequenceNumber', startSequenceNumber, range);
    }
    const batches = this.#rpc.callServerStreaming(
      SUBSCRIBE_KV_EVENTS,
      startSequenceNumber,
      callOptions,
    );
    yield* checkedBatches(batches, startSequenceNumber);
  }

  /** The models that the cluster serves. */
  async models(options: CallOptions = {}): Promise<readonly ServedModel[]> {
    return [servedModel(await this.serverInfo(options))];
  }

  /** Whether the server, or one of its services, takes calls; NOT_FOUND for an unknown service. */
  async health({ service, ...options }: HealthOptions = {}): Promise<ServingStatus> {
    return this.#rpc.callUnary(HEALTH_CHECK, service ?? WHOLE_SERVER, this.#withTimeout(options));
  }

  /** The same, now and after every change, until the loop is left. */
  async *watchHealth({
    service,
    ...options
  }: HealthOptions = {}): AsyncGenerator<ServingStatus, void, undefined> {
    yield* this.#rpc.callServerStreaming(HEALTH_WATCH, service ?? WHOLE_SERVER, options);
  }

  async serverInfo(options: CallOptions = {}): Promise<ServerInfo> {
    return this.#rpc.callUnary(GET_SERVER_INFO, {}, this.#withTimeout(options));
  }

  /** Fails open requests with CANCELLED, and closes the connection that `connect` made. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#rpc.close();
    if (this.#ownsBus) await this.#bus.close();
  }

  #findServers(service: string, waitMs: number): Promise<readonly string[]> {
    return findServers(this.#bus, { cluster: this.#cluster, service, waitMs });
  }

  #events(input: GenerateInput, options: CallOptions): AsyncIterable<GenerateEvent> {
    const call = this.#withTimeout(options);
    const rules = this.#resume;
    const open: OpenCall = (each, callOptions) =>
      this.#rpc.callServerStreaming(GENERATE, each, callOptions);
    return rules === undefined ? open(input, call) : resumedEvents(open, input, { call, rules });
  }

  /** Options for many calls that share one time limit; another signal may end each of them too. */
  #withDeadline({
    timeoutMs = this.#timeoutMs,
    signal,
    metadata,
  }: SearchOptions): (other?: AbortSignal) => SearchOptions {
    const either = (other: AbortSignal | undefined): AbortSignal | undefined =>
      signal !== undefined && other !== undefined
        ? AbortSignal.any([signal, other])
        : (other ?? signal);
    if (timeoutMs === undefined) return (other) => ({ signal: either(other), metadata });
    const endMs = performance.now() + timeoutMs;
    const leftMs = (): number => Math.max(1, Math.ceil(endMs - performance.now()));
    return (other) => ({ signal: either(other), metadata, timeoutMs: leftMs() });
  }

  #withTimeout(options: CallOptions): CallOptions {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs };
  }
}

async function connectBus(url: string, nkeyFile: string | undefined): Promise<Bus> {
  try {
    return await connectNats({ servers: url, name: 'sohu-client', nkeyFile });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RpcError('UNAVAILABLE', message, { cause: error });
  }
}
