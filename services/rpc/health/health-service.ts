import { grpc } from '#proto';
import type { ServerStreamingMethod, UnaryMethod } from '../method.ts';
import type { RpcServer } from '../server.ts';
import { RpcError } from '../status.ts';
import type { Health, ServingStatus } from './health.ts';

const { HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse } =
  grpc.health.v1;

const NUMBERS: Readonly<Record<ServingStatus, number>> = HealthCheckResponse.ServingStatus;

const SERVICE = 'grpc.health.v1.Health';

/** Requests are names of services, empty for the server as a whole. */
const CODEC = {
  service: SERVICE,
  encodeRequest: (service: string) => HealthCheckRequest.encode({ service }).finish(),
  decodeRequest: (bytes: Uint8Array) => HealthCheckRequest.decode(bytes).service,
  encodeResponse: (status: ServingStatus) =>
    HealthCheckResponse.encode({ status: NUMBERS[status] }).finish(),
  decodeResponse: (bytes: Uint8Array) => servingStatusOf(HealthCheckResponse.decode(bytes).status),
};

/** The status now; NOT_FOUND where the server does not know the service. */
export const HEALTH_CHECK: UnaryMethod<string, ServingStatus> = {
  ...CODEC,
  kind: 'unary',
  method: 'Check',
};

/** The status of every service that the server knows, as gRFC A90 has it. */
export const HEALTH_LIST: UnaryMethod<Record<string, never>, ReadonlyMap<string, ServingStatus>> = {
  kind: 'unary',
  service: SERVICE,
  method: 'List',
  encodeRequest: () => HealthListRequest.encode({}).finish(),
  decodeRequest: (bytes) => {
    HealthListRequest.decode(bytes);
    return {};
  },
  encodeResponse: (statuses) => {
    const entries = [...statuses].map(([name, status]) => [name, { status: NUMBERS[status] }]);
    return HealthListResponse.encode({ statuses: Object.fromEntries(entries) }).finish();
  },
  decodeResponse: (bytes) => {
    const entries = Object.entries(HealthListResponse.decode(bytes).statuses);
    return new Map(entries.map(([name, { status }]) => [name, servingStatusOf(status ?? 0)]));
  },
};

/** The status now and after every change. */
export const HEALTH_WATCH: ServerStreamingMethod<string, ServingStatus> = {
  ...CODEC,
  kind: 'serverStreaming',
  method: 'Watch',
};

/** Lets clients ask a server for its health. */
export function serveHealth(server: RpcServer, health: Health): void {
  server.unary(HEALTH_CHECK, (service) => {
    const status = health.statusOf(service);
    if (status !== 'SERVICE_UNKNOWN') return status;
    throw new RpcError('NOT_FOUND', `this server does not know the service "${service}"`);
  });
  server.unary(HEALTH_LIST, () => health.statuses);
  server.serverStreaming(HEALTH_WATCH, (service, call) => health.watch(service, call.signal));
}

function servingStatusOf(number: number): ServingStatus {
  const names = Object.keys(NUMBERS) as ServingStatus[];
  return names.find((name) => NUMBERS[name] === number) ?? 'UNKNOWN';
}
