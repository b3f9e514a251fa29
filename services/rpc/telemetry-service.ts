import type { RpcServer } from './server.ts';
import { METRICS, SNAPSHOT, WATCH } from './telemetry-methods.ts';
import type { ClusterSnapshot, MetricsText, StepRecord } from './telemetry-types.ts';

/** An engine that can be watched. */
export interface TelemetrySource {
  /** The series whose names begin with the prefix. */
  metrics(prefix: string): Promise<MetricsText>;
  snapshot(): ClusterSnapshot;
  /** Every step from now on until the signal fires; a slow reader loses records. */
  watch(options: { readonly detail: boolean }, signal: AbortSignal): AsyncIterable<StepRecord>;
}

/** Puts an engine behind the Telemetry service. */
export function serveTelemetry(server: RpcServer, source: TelemetrySource): void {
  server.unary(METRICS, (prefix) => source.metrics(prefix));
  server.unary(SNAPSHOT, () => source.snapshot());
  server.serverStreaming(WATCH, (options, call) => source.watch(options, call.signal));
}
