import type { SohuClient, TelemetryClient } from '../client/index.ts';

/** What a gateway needs of the cluster behind it; a `SohuClient` is one. */
export interface Engine extends Pick<SohuClient, 'generateStream' | 'serverInfo'> {
  readonly telemetry: Pick<TelemetryClient, 'metrics' | 'servers' | 'snapshot' | 'watch'>;
}
