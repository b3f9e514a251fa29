import { sohu } from '#proto';
import type { ServerStreamingMethod, UnaryMethod } from './method.ts';
import type { ClusterSnapshot, MetricsText, StepRecord } from './telemetry-types.ts';

const {
  MetricsRequest,
  MetricsResponse,
  SnapshotRequest,
  SnapshotResponse,
  StepRecord: StepRecordMessage,
  WatchRequest,
} = sohu.v1;

/** The service as subjects name it. */
export const TELEMETRY = 'Telemetry';

/** The fully qualified name of the service. */
export const TELEMETRY_SERVICE = `sohu.v1.${TELEMETRY}`;

/** Every absent field as what it stands for. */
const WHOLE = { defaults: true };

/** The series whose names begin with a prefix. */
export const METRICS: UnaryMethod<string, MetricsText> = {
  kind: 'unary',
  service: TELEMETRY,
  addressable: true,
  method: 'Metrics',
  encodeRequest: (prefix) => MetricsRequest.encode({ prefix }).finish(),
  decodeRequest: (bytes) => MetricsRequest.decode(bytes).prefix,
  encodeResponse: (metrics) => MetricsResponse.encode(metrics).finish(),
  decodeResponse: (bytes) => {
    const { text, engine } = MetricsResponse.decode(bytes);
    return { text, engine };
  },
};

/** The engine at a glance. */
export const SNAPSHOT: UnaryMethod<Record<string, never>, ClusterSnapshot> = {
  kind: 'unary',
  service: TELEMETRY,
  addressable: true,
  method: 'Snapshot',
  encodeRequest: () => SnapshotRequest.encode({}).finish(),
  decodeRequest: (bytes) => {
    SnapshotRequest.decode(bytes);
    return {};
  },
  encodeResponse: (snapshot) =>
    SnapshotResponse.encode({ ...snapshot, chips: [...snapshot.chips] }).finish(),
  decodeResponse: (bytes) =>
    SnapshotResponse.toObject(SnapshotResponse.decode(bytes), WHOLE) as ClusterSnapshot,
};

/** Every step from now on, with the chips' own times where these are asked for. */
export const WATCH: ServerStreamingMethod<{ readonly detail: boolean }, StepRecord> = {
  kind: 'serverStreaming',
  service: TELEMETRY,
  addressable: true,
  method: 'Watch',
  encodeRequest: ({ detail }) => WatchRequest.encode({ detail }).finish(),
  decodeRequest: (bytes) => ({ detail: WatchRequest.decode(bytes).detail }),
  encodeResponse: (record) =>
    StepRecordMessage.encode(record as sohu.v1.StepRecord.$Properties).finish(),
  decodeResponse: (bytes) =>
    StepRecordMessage.toObject(StepRecordMessage.decode(bytes), WHOLE) as StepRecord,
};
