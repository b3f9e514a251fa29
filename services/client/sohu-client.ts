import type { Bus } from '../bus/bus.ts';
import { connectNats } from '../bus/nats-bus.ts';
import { type CallOptions, RpcClient } from '../rpc/client.ts';
import {
  DETOKENIZE,
  GENERATE,
  GET_SERVER_INFO,
  SUBSCRIBE_KV_EVENTS,
  TOKENIZE,
} from '../rpc/inference-methods.ts';
import type {
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  ServerInfo,
} from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';
import { type BeamSearchRequest, type BeamSearchResult, searchBeams } from './beam-search.ts';
import { checkedBatches } from './checked-batches.ts';
import { checkedEvents } from './checked-events.ts';
import { type Completion, collectCompletion } from './completion.ts';
import { checkInteger, checkList, checkString, UINT32 } from './field-checks.ts';
import { type GenerateRequest, toGenerateInput } from './request.ts';

export interface SohuClientOptions {
  /** Name of the cluster; "sohu" where absent. */
  readonly cluster?: string;
  /** Host time that each call may take unless it says otherwise. */
  readonly timeoutMs?: number;
  /** Calls beyond this number fail with RESOURCE_EXHAUSTED; 1024 where absent. */
  readonly maxOpenCalls?: number;
}

export type GenerateOptions = Pick<CallOptions, 'signal' | 'timeoutMs'>;

export interface DetokenizeOptions extends GenerateOptions {
  /** The token before them; they begin a text where it is absent. */
  readonly previousTokenId?: number | undefined;
}

export interface KvEventsOptions extends Pick<CallOptions, 'signal'> {
  /** Number of the first batch wanted; the next that comes where absent. */
  readonly startSequenceNumber?: number;
}

const DEFAULT_CLUSTER = 'sohu';

/** A connection to one cluster. Everything that fails, fails with an RpcError. */
export class SohuClient {
  readonly #bus: Bus;
  readonly #ownsBus: boolean;
  readonly #rpc: RpcClient;
  readonly #timeoutMs: number | undefined;

  private constructor(connection: { bus: Bus; ownsBus: boolean }, options: SohuClientOptions) {
    this.#bus = connection.bus;
    this.#ownsBus = connection.ownsBus;
    const { cluster = DEFAULT_CLUSTER, maxOpenCalls } = options;
    this.#rpc = new RpcClient(connection.bus, {
      cluster,
      ...(maxOpenCalls !== undefined && { maxOpenCalls }),
    });
    this.#timeoutMs = options.timeoutMs;
  }

  /** Connects to the broker at a `nats://host:port` address. */
  static async connect(url: string, options: SohuClientOptions = {}): Promise<SohuClient> {
    try {
      const bus = await connectNats({ servers: url, name: 'sohu-client' });
      return new SohuClient({ bus, ownsBus: true }, options);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new RpcError('UNAVAILABLE', message, { cause: error });
    }
  }

  /** Uses a bus that is already open, and leaves it open. */
  static over(bus: Bus, options: SohuClientOptions = {}): SohuClient {
    return new SohuClient({ bus, ownsBus: false }, options);
  }

  /** The whole continuation of a prompt, with all its samples. */
  async generate(request: GenerateRequest, options: GenerateOptions = {}): Promise<Completion> {
    const input = toGenerateInput(request);
    return collectCompletion(this.#events(input, options), input.sampling.n);
  }

  /**
   * The continuation as it is drawn; `index` tells the samples apart. Starts with the first read;
   * leaving the loop early cancels the request.
   */
  async *generateStream(
    request: GenerateRequest,
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    const input = toGenerateInput(request);
    yield* checkedEvents(this.#events(input, options), input.sampling.n);
  }

  /** The likeliest continuations that a beam finds; `timeoutMs` is for all of its requests. */
  async beamSearch(
    request: BeamSearchRequest,
    options: GenerateOptions = {},
  ): Promise<BeamSearchResult> {
    const callOptions = this.#withDeadline(options);
    return searchBeams(
      {
        generate: (each) => this.generate(each, callOptions()),
        serverInfo: () => this.serverInfo(callOptions()),
        tokenize: (text) => this.tokenize(text, callOptions()),
        detokenize: (tokenIds, place) => this.detokenize(tokenIds, { ...place, ...callOptions() }),
      },
      request,
    );
  }

  /** The token ids of a text, as a prompt has them. */
  async tokenize(text: string, options: GenerateOptions = {}): Promise<readonly number[]> {
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
    const { startSequenceNumber, signal } = options;
    if (startSequenceNumber !== undefined) {
      const range = { from: 0, to: Number.MAX_SAFE_INTEGER };
      checkInteger('startSequenceNumber', startSequenceNumber, range);
    }
    const batches = this.#rpc.callServerStreaming(SUBSCRIBE_KV_EVENTS, startSequenceNumber, {
      signal,
    });
    yield* checkedBatches(batches, startSequenceNumber);
  }

  async serverInfo(options: GenerateOptions = {}): Promise<ServerInfo> {
    return this.#rpc.callUnary(GET_SERVER_INFO, {}, this.#withTimeout(options));
  }

  /** Fails open requests with CANCELLED, and closes the connection that `connect` made. */
  async close(): Promise<void> {
    this.#rpc.close();
    if (this.#ownsBus) await this.#bus.close();
  }

  #events(input: GenerateInput, options: GenerateOptions): AsyncIterable<GenerateEvent> {
    return this.#rpc.callServerStreaming(GENERATE, input, this.#withTimeout(options));
  }

  /** Options for many calls that share one time limit. */
  #withDeadline({ signal, timeoutMs = this.#timeoutMs }: GenerateOptions): () => GenerateOptions {
    if (timeoutMs === undefined) return () => ({ signal });
    const endMs = performance.now() + timeoutMs;
    return () => ({ signal, timeoutMs: Math.max(1, Math.ceil(endMs - performance.now())) });
  }

  #withTimeout(options: GenerateOptions): CallOptions {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs };
  }
}
