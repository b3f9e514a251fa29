import type { CallOptions } from '../rpc/call-options.ts';
import type { RpcClient } from '../rpc/client.ts';
import { METRICS, SNAPSHOT, WATCH } from '../rpc/telemetry-methods.ts';
import type { ClusterSnapshot, MetricsText, StepRecord } from '../rpc/telemetry-types.ts';
import { checkString } from './field-checks.ts';

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
  readonly #timeoutMs: number | undefined;

  constructor(rpc: RpcClient, timeoutMs: number | undefined) {
    this.#rpc = rpc;
    this.#timeoutMs = timeoutMs;
  }

  /** The series of the cluster's engine, as Prometheus reads them. */
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
