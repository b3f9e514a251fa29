import { grpc } from '#proto';
import type { ServerStreamingMethod, UnaryMethod } from '../method.ts';
import type { RpcServer } from '../server.ts';
import { RpcError } from '../status.ts';
import type { Health, ServingStatus } from './health.ts';

const { HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;

const NUMBERS: Readonly<Record<ServingStatus, number>> = HealthCheckResponse.ServingStatus;

/** Requests are names of services, empty for the server as a whole. */
const CODEC = {
  service: 'grpc.health.v1.Health',
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
  server.serverStreaming(HEALTH_WATCH, (service, call) => health.watch(service, call.signal));
}

function servingStatusOf(number: number): ServingStatus {
  const names = Object.keys(NUMBERS) as ServingStatus[];
  return names.find((name) => NUMBERS[name] === number) ?? 'UNKNOWN';
}
