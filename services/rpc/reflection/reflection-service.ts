import { grpc } from '#proto';
import type { UnaryMethod } from '../method.ts';
import type { RpcServer } from '../server.ts';
import { type ErrorCode, STATUS_NUMBERS, statusCodeOf } from '../status.ts';
import type { ProtoFiles } from './proto-files.ts';

const { ServerReflectionRequest, ServerReflectionResponse } = grpc.reflection.v1;

/** A question of grpc.reflection.v1. */
export type ReflectionQuestion =
  | { readonly kind: 'listServices' }
  | { readonly kind: 'fileByFilename'; readonly name: string }
  | { readonly kind: 'fileContainingSymbol'; readonly symbol: string }
  | { readonly kind: 'fileContainingExtension'; readonly type: string; readonly number: number }
  | { readonly kind: 'extensionNumbers'; readonly type: string }
  /** Nothing that this version knows. */
  | { readonly kind: 'unknown' };

export interface ReflectionRequest {
  /** The host that the client believes to ask. */
  readonly host: string;
  readonly question: ReflectionQuestion;
}

export type ReflectionAnswer =
  | { readonly kind: 'services'; readonly names: readonly string[] }
  /** Encoded google.protobuf.FileDescriptorProto messages: the file, then all that it imports. */
  | { readonly kind: 'files'; readonly descriptors: readonly Uint8Array[] }
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly message: string };

export interface ReflectionResponse {
  /** What it answers. */
  readonly request: ReflectionRequest;
  readonly answer: ReflectionAnswer;
}

/** One question and its answer; where gRPC has a stream of them, the bus has a call for each. */
export const REFLECT: UnaryMethod<ReflectionRequest, ReflectionResponse> = {
  kind: 'unary',
  service: 'grpc.reflection.v1.ServerReflection',
  method: 'ServerReflectionInfo',
  encodeRequest: (request) => ServerReflectionRequest.encode(requestFields(request)).finish(),
  decodeRequest: (bytes) => requestOf(ServerReflectionRequest.decode(bytes)),
  encodeResponse: ({ request, answer }) =>
    ServerReflectionResponse.encode({
      validHost: request.host,
      originalRequest: requestFields(request),
      ...answerFields(answer),
    }).finish(),
  decodeResponse: (bytes) => {
    const response = ServerReflectionResponse.decode(bytes);
    return { request: requestOf(response.originalRequest ?? {}), answer: answerOf(response) };
  },
};

/** Lets clients ask what services a server has and what their messages look like. */
export function serveReflection(server: RpcServer, files: ProtoFiles): void {
  server.unary(REFLECT, (request) => {
    const answer = answerTo(request.question, { files, services: server.services });
    return { request, answer };
  });
}

function answerTo(
  question: ReflectionQuestion,
  served: { readonly files: ProtoFiles; readonly services: readonly string[] },
): ReflectionAnswer {
  const { files, services } = served;
  switch (question.kind) {
    case 'listServices': {
      const names = services.map((name) => files.fullServiceName(name) ?? name);
      return { kind: 'services', names: names.sort() };
    }
    case 'fileByFilename':
      return found(files.fileNamed(question.name), `file "${question.name}"`);
    case 'fileContainingSymbol':
      return found(files.fileDeclaring(question.symbol), `symbol "${question.symbol}"`);
    case 'fileContainingExtension':
    case 'extensionNumbers':
      return { kind: 'error', code: 'UNIMPLEMENTED', message: 'proto3 has no extensions' };
    case 'unknown':
      return { kind: 'error', code: 'UNIMPLEMENTED', message: 'the question is not known here' };
  }
}

function found(descriptors: readonly Uint8Array[] | undefined, what: string): ReflectionAnswer {
  if (descriptors !== undefined) return { kind: 'files', descriptors };
  return { kind: 'error', code: 'NOT_FOUND', message: `there is no ${what}` };
}

type RequestFields = grpc.reflection.v1.ServerReflectionRequest.$Properties;
type ResponseFields = grpc.reflection.v1.ServerReflectionResponse.$Properties;

function requestFields({ host, question }: ReflectionRequest): RequestFields {
  return { host, ...questionFields(question) };
}

function requestOf(request: RequestFields): ReflectionRequest {
  return { host: request.host ?? '', question: questionOf(request) };
}

function questionFields(question: ReflectionQuestion): RequestFields {
  switch (question.kind) {
    case 'listServices':
      return { listServices: '*' };
    case 'fileByFilename':
      return { fileByFilename: question.name };
    case 'fileContainingSymbol':
      return { fileContainingSymbol: question.symbol };
    case 'fileContainingExtension': {
      const { type: containingType, number: extensionNumber } = question;
      return { fileContainingExtension: { containingType, extensionNumber } };
    }
    case 'extensionNumbers':
      return { allExtensionNumbersOfType: question.type };
    case 'unknown':
      return {};
  }
}

function questionOf(request: RequestFields): ReflectionQuestion {
  const { listServices, fileByFilename, fileContainingSymbol } = request;
  if (typeof listServices === 'string') return { kind: 'listServices' };
  if (typeof fileByFilename === 'string') return { kind: 'fileByFilename', name: fileByFilename };
  if (typeof fileContainingSymbol === 'string') {
    return { kind: 'fileContainingSymbol', symbol: fileContainingSymbol };
  }
  if (request.fileContainingExtension) {
    const { containingType, extensionNumber } = request.fileContainingExtension;
    const type = containingType ?? '';
    return { kind: 'fileContainingExtension', type, number: extensionNumber ?? 0 };
  }
  if (typeof request.allExtensionNumbersOfType === 'string') {
    return { kind: 'extensionNumbers', type: request.allExtensionNumbersOfType };
  }
  return { kind: 'unknown' };
}

function answerFields(reply: ReflectionAnswer): ResponseFields {
  switch (reply.kind) {
    case 'services':
      return { listServicesResponse: { service: reply.names.map((name) => ({ name })) } };
    case 'files':
      return { fileDescriptorResponse: { fileDescriptorProto: [...reply.descriptors] } };
    case 'error': {
      const errorCode = STATUS_NUMBERS[reply.code];
      return { errorResponse: { errorCode, errorMessage: reply.message } };
    }
  }
}

function answerOf(response: ResponseFields): ReflectionAnswer {
  const { listServicesResponse, fileDescriptorResponse, errorResponse } = response;
  if (listServicesResponse) {
    const names = (listServicesResponse.service ?? []).map(({ name }) => name ?? '');
    return { kind: 'services', names };
  }
  if (fileDescriptorResponse) {
    return { kind: 'files', descriptors: fileDescriptorResponse.fileDescriptorProto ?? [] };
  }
  const code = statusCodeOf(errorResponse?.errorCode ?? STATUS_NUMBERS.UNKNOWN);
  const message = errorResponse?.errorMessage ?? '';
  return { kind: 'error', code: code === 'OK' ? 'UNKNOWN' : code, message };
}
