import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { HEALTH_CHECK, HEALTH_LIST, HEALTH_WATCH } from '../rpc/health/health-service.ts';
import {
  ABORT,
  DETOKENIZE,
  GENERATE,
  GET_SERVER_INFO,
  INFERENCE_SERVICE,
  SUBSCRIBE_KV_EVENTS,
  TOKENIZE,
} from '../rpc/inference-methods.ts';
import type { Method, ServerStreamingMethod } from '../rpc/method.ts';
import { REFLECT } from '../rpc/reflection/reflection-service.ts';
import { METRICS, SNAPSHOT, TELEMETRY_SERVICE, WATCH } from '../rpc/telemetry-methods.ts';

/** A method of the bus whose messages nobody looks into. */
export type BytesMethod = ServerStreamingMethod<Uint8Array, Uint8Array>;

/** A method as gRPC has it, and what it is on the bus. */
export interface GrpcMethod {
  readonly definition: MethodDefinition<Uint8Array, Uint8Array>;
  readonly onBus: BytesMethod;
}

/** By their full names; gRPC and the bus have the same messages. */
const SERVICES: Readonly<Record<string, readonly Method[]>> = {
  [INFERENCE_SERVICE]: [
    GENERATE,
    ABORT,
    TOKENIZE,
    DETOKENIZE,
    SUBSCRIBE_KV_EVENTS,
    GET_SERVER_INFO,
  ],
  [TELEMETRY_SERVICE]: [METRICS, SNAPSHOT, WATCH],
  [HEALTH_CHECK.service]: [HEALTH_CHECK, HEALTH_LIST, HEALTH_WATCH],
  [REFLECT.service]: [REFLECT],
};

/** In gRPC a stream of questions, on the bus a call for each. */
const STREAMS_OF_QUESTIONS: readonly Method[] = [REFLECT];

/** The services that gRPC offers, each with its methods by their names. */
export function grpcServices(): readonly Readonly<Record<string, GrpcMethod>>[] {
  return Object.entries(SERVICES).map(([service, methods]) =>
    Object.fromEntries(methods.map((method) => [method.method, grpcMethod(service, method)])),
  );
}

/** The definitions alone, as the library wants them. */
export function serviceDefinition(
  methods: Readonly<Record<string, GrpcMethod>>,
): ServiceDefinition {
  const entries = Object.entries(methods).map(([name, { definition }]) => [name, definition]);
  return Object.fromEntries(entries);
}

function grpcMethod(fullService: string, method: Method): GrpcMethod {
  const messages = { encode: toBuffer, decode: (bytes: Buffer): Uint8Array => bytes };
  return {
    definition: {
      path: `/${fullService}/${method.method}`,
      requestStream: STREAMS_OF_QUESTIONS.includes(method),
      // On the wire a unary method is a stream of one.
      responseStream: true,
      requestSerialize: messages.encode,
      requestDeserialize: messages.decode,
      responseSerialize: messages.encode,
      responseDeserialize: messages.decode,
    },
    onBus: bytesMethod(method),
  };
}

function bytesMethod({ service, method }: Method): BytesMethod {
  const same = (bytes: Uint8Array): Uint8Array => bytes;
  return {
    kind: 'serverStreaming',
    service,
    method,
    encodeRequest: same,
    decodeRequest: same,
    encodeResponse: same,
    decodeResponse: same,
  };
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
