import { sohu } from '#proto';
import { decodeGenerateEvent, encodeGenerateEvent } from './generate-event-codec.ts';
import { decodeGenerateRequest, encodeGenerateRequest } from './generate-request-codec.ts';
import type {
  DetokenizeInput,
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  ServerInfo,
} from './inference-types.ts';
import { decodeKvEventBatch, encodeKvEventBatch } from './kv-event-codec.ts';
import type { ServerStreamingMethod, UnaryMethod } from './method.ts';
import { decodeServerInfo, encodeServerInfo } from './server-info-codec.ts';

const {
  AbortRequest,
  AbortResponse,
  DetokenizeRequest,
  DetokenizeResponse,
  GetServerInfoRequest,
  SubscribeKvEventsRequest,
  TokenizeRequest,
  TokenizeResponse,
} = sohu.v1;

/** The service as subjects name it. */
export const INFERENCE = 'Inference';

/** The fully qualified name of the service. */
export const INFERENCE_SERVICE = `sohu.v1.${INFERENCE}`;

/** Continues one prompt: accepted, then tokens and one complete for each sample. */
export const GENERATE: ServerStreamingMethod<GenerateInput, GenerateEvent> = {
  kind: 'serverStreaming',
  service: INFERENCE,
  addressable: true,
  method: 'Generate',
  encodeRequest: encodeGenerateRequest,
  decodeRequest: decodeGenerateRequest,
  encodeResponse: encodeGenerateEvent,
  decodeResponse: decodeGenerateEvent,
};

/** Ends requests by their names; gives how many of them were still open. */
export const ABORT: UnaryMethod<readonly string[], number> = {
  kind: 'unary',
  service: INFERENCE,
  addressable: true,
  method: 'Abort',
  encodeRequest: (requestIds) => AbortRequest.encode({ requestIds: [...requestIds] }).finish(),
  decodeRequest: (bytes) => AbortRequest.decode(bytes).requestIds,
  encodeResponse: (abortedRequests) => AbortResponse.encode({ abortedRequests }).finish(),
  decodeResponse: (bytes) => AbortResponse.decode(bytes).abortedRequests,
};

/** The token ids of a text, as a prompt has them. */
export const TOKENIZE: UnaryMethod<string, readonly number[]> = {
  kind: 'unary',
  service: INFERENCE,
  addressable: true,
  method: 'Tokenize',
  encodeRequest: (text) => TokenizeRequest.encode({ text }).finish(),
  decodeRequest: (bytes) => TokenizeRequest.decode(bytes).text,
  encodeResponse: (tokenIds) => TokenizeResponse.encode({ tokenIds: [...tokenIds] }).finish(),
  decodeResponse: (bytes) => TokenizeResponse.decode(bytes).tokenIds,
};

/** The text that token ids add. */
export const DETOKENIZE: UnaryMethod<DetokenizeInput, string> = {
  kind: 'unary',
  service: INFERENCE,
  addressable: true,
  method: 'Detokenize',
  encodeRequest: ({ tokenIds, previousTokenId }) =>
    DetokenizeRequest.encode({
      tokenIds: [...tokenIds],
      previousTokenId: previousTokenId ?? null,
    }).finish(),
  decodeRequest: (bytes) => {
    const { tokenIds, previousTokenId } = DetokenizeRequest.decode(bytes);
    return { tokenIds, previousTokenId: previousTokenId ?? undefined };
  },
  encodeResponse: (text) => DetokenizeResponse.encode({ text }).finish(),
  decodeResponse: (bytes) => DetokenizeResponse.decode(bytes).text,
};

/** What the prefix cache gains and loses, from a batch's number or from now on. */
export const SUBSCRIBE_KV_EVENTS: ServerStreamingMethod<number | undefined, KvEventBatch> = {
  kind: 'serverStreaming',
  service: INFERENCE,
  addressable: true,
  method: 'SubscribeKvEvents',
  encodeRequest: (startSequenceNumber) =>
    SubscribeKvEventsRequest.encode({
      startSequenceNumber: startSequenceNumber ?? null,
    }).finish(),
  decodeRequest: (bytes) => SubscribeKvEventsRequest.decode(bytes).startSequenceNumber ?? undefined,
  encodeResponse: encodeKvEventBatch,
  decodeResponse: decodeKvEventBatch,
};

/** Describes the model, the limits and the chips behind the API. */
export const GET_SERVER_INFO: UnaryMethod<Record<string, never>, ServerInfo> = {
  kind: 'unary',
  service: INFERENCE,
  addressable: true,
  method: 'GetServerInfo',
  encodeRequest: () => GetServerInfoRequest.encode({}).finish(),
  decodeRequest: (bytes) => {
    GetServerInfoRequest.decode(bytes);
    return {};
  },
  encodeResponse: encodeServerInfo,
  decodeResponse: decodeServerInfo,
};
