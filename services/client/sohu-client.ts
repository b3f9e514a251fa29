import type { Bus } from '../bus/bus.ts';
import { connectNats } from '../bus/nats-bus.ts';
import { type CallOptions, RpcClient } from '../rpc/client.ts';
import { GENERATE, GET_SERVER_INFO } from '../rpc/inference-methods.ts';
import type { GenerateEvent, ServerInfo } from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';
import { type Completion, checkedEvents, collectCompletion } from './completion.ts';
import { type GenerateRequest, toGenerateInput } from './request.ts';

export interface SohuClientOptions {
  /** Name of the cluster; "sohu" where absent. */
  readonly cluster?: string;
  /** Host time that each call may take unless it says otherwise. */
  readonly timeoutMs?: number;
}

export type GenerateOptions = Pick<CallOptions, 'signal' | 'timeoutMs'>;

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
    this.#rpc = new RpcClient(connection.bus, { cluster: options.cluster ?? DEFAULT_CLUSTER });
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

  /** The whole continuation of a prompt. */
  async generate(request: GenerateRequest, options: GenerateOptions = {}): Promise<Completion> {
    return collectCompletion(this.#events(request, options));
  }

  /**
   * The continuation as it is drawn. Starts with the first read; leaving the loop early cancels the
   * request.
   */
  async *generateStream(
    request: GenerateRequest,
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    yield* checkedEvents(this.#events(request, options));
  }

  async serverInfo(options: GenerateOptions = {}): Promise<ServerInfo> {
    return this.#rpc.callUnary(GET_SERVER_INFO, {}, this.#withTimeout(options));
  }

  /** Fails open requests with CANCELLED, and closes the connection that `connect` made. */
  async close(): Promise<void> {
    this.#rpc.close();
    if (this.#ownsBus) await this.#bus.close();
  }

  #events(request: GenerateRequest, options: GenerateOptions): AsyncIterable<GenerateEvent> {
    const input = toGenerateInput(request);
    return this.#rpc.callServerStreaming(GENERATE, input, this.#withTimeout(options));
  }

  #withTimeout(options: GenerateOptions): CallOptions {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs };
  }
}
