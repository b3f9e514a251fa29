import type { CallOptions } from '../rpc/call-options.ts';
import type { RpcClient } from '../rpc/client.ts';
import { METRICS, SNAPSHOT, WATCH } from '../rpc/telemetry-methods.ts';
import type { ClusterSnapshot, MetricsText, StepRecord } from '../rpc/telemetry-types.ts';
import { checkInteger, checkString } from './field-checks.ts';

const DISCOVERY_MS = 100;
const MAX_DISCOVERY_MS = 10_000;

export interface ServersOptions {
  /** How long to listen for answers; 100 where absent. */
  readonly waitMs?: number;
}

export interface MetricsOptions extends CallOptions {
  /** Only series whose names begin so; all of them where absent. */
  readonly prefix?: string;
}

export interface WatchOptions extends CallOptions {
  /** Whether records have the segments and exchanges of every chip. */
  readonly detail?: boolean;
}

/** Watches a cluster. Everything that fails, fails with an RpcError. */
export class TelemetryClient {
  readonly #rpc: RpcClient;
  readonly #find: (waitMs: number) => Promise<readonly string[]>;
  readonly #timeoutMs: number | undefined;

  constructor(options: {
    readonly rpc: RpcClient;
    /** The ids of the servers that answer within the time. */
    readonly find: (waitMs: number) => Promise<readonly string[]>;
    /** For calls without a limit of their own. */
    readonly timeoutMs: number | undefined;
  }) {
    this.#rpc = options.rpc;
    this.#find = options.find;
    this.#timeoutMs = options.timeoutMs;
  }

  /**
   * The ids of the cluster's engines, one for each coordinator that answers within the time: to name
   * one as `serverId` in the other calls.
   */
  async servers({ waitMs = DISCOVERY_MS }: ServersOptions = {}): Promise<readonly string[]> {
    checkInteger('waitMs', waitMs, { from: 1, to: MAX_DISCOVERY_MS });
    return this.#find(waitMs);
  }

  /** The series of an engine, as Prometheus reads them. */
  async metrics({ prefix = '', ...options }: MetricsOptions = {}): Promise<MetricsText> {
    checkString('prefix', prefix);
    return this.#rpc.callUnary(METRICS, prefix, this.#withTimeout(options));
  }

  /** The cluster at a glance: model, load, rates, and every chip. */
  async snapshot(options: CallOptions = {}): Promise<ClusterSnapshot> {
    return this.#rpc.callUnary(SNAPSHOT, {}, this.#withTimeout(options));
  }

  /**
   * Every step from now on, until the loop is left. Whoever reads too slowly loses records, and
   * finds in the next one how many.
   */
  async *watch(options: WatchOptions = {}): AsyncGenerator<StepRecord, void, undefined> {
    const { detail = false, ...callOptions } = options;
    yield* this.#rpc.callServerStreaming(WATCH, { detail }, callOptions);
  }

  #withTimeout(options: CallOptions): CallOptions {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs };
  }
}
