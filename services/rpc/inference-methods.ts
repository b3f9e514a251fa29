import { sohu } from '#proto';
import { InvalidArgumentError } from '../core/support/errors.ts';
import type {
  ChipInfo,
  CompleteEvent,
  FinishReason,
  GenerateEvent,
  GenerateInput,
  Prompt,
  RequestSampling,
  ServerInfo,
} from './inference-types.ts';
import type { ServerStreamingMethod, UnaryMethod } from './method.ts';
import { DEFAULT_SAMPLING } from './request-sampling.ts';

const {
  GenerateRequest,
  GenerateResponse,
  GetServerInfoRequest,
  GetServerInfoResponse,
  ChipInfo: ChipInfoMessage,
} = sohu.v1;

const SERVICE = 'Inference';
const FINISH_REASONS: readonly string[] = ['stop', 'length', 'abort'] satisfies FinishReason[];
const MAX_REQUEST_ID_LENGTH = 128;

/** Continues one prompt: accepted, tokens, complete. */
export const GENERATE: ServerStreamingMethod<GenerateInput, GenerateEvent> = {
  kind: 'serverStreaming',
  service: SERVICE,
  method: 'Generate',
  encodeRequest: encodeInput,
  decodeRequest: decodeInput,
  encodeResponse: encodeEvent,
  decodeResponse: decodeEvent,
};

/** Describes the model, the limits and the chips behind the API. */
export const GET_SERVER_INFO: UnaryMethod<Record<string, never>, ServerInfo> = {
  kind: 'unary',
  service: SERVICE,
  method: 'GetServerInfo',
  encodeRequest: () => GetServerInfoRequest.encode({}).finish(),
  decodeRequest: (bytes) => {
    GetServerInfoRequest.decode(bytes);
    return {};
  },
  encodeResponse: encodeServerInfo,
  decodeResponse: decodeServerInfo,
};

function encodeInput({ requestId, prompt, sampling }: GenerateInput): Uint8Array {
  const input =
    prompt.kind === 'text'
      ? { text: prompt.text }
      : { tokenized: { inputIds: [...prompt.tokenIds] } };
  const { temperature, topP, topK, maxTokens, seed, ignoreEos } = sampling;
  const samplingParams = {
    ...{ temperature, topP, topK, ignoreEos },
    maxTokens: maxTokens ?? null,
    seed: seed ?? null,
  };
  return GenerateRequest.encode({ requestId, ...input, samplingParams }).finish();
}

function decodeInput(bytes: Uint8Array): GenerateInput {
  const { requestId, tokenized, text, samplingParams } = GenerateRequest.decode(bytes);
  if (requestId.length < 1 || requestId.length > MAX_REQUEST_ID_LENGTH) {
    throw new InvalidArgumentError(`request_id must have 1 to ${MAX_REQUEST_ID_LENGTH} characters`);
  }
  const prompt = decodePrompt({ tokenIds: tokenized?.inputIds ?? undefined, text });
  return { requestId, prompt, sampling: decodeSampling(samplingParams ?? {}) };
}

function decodePrompt(input: {
  readonly tokenIds: readonly number[] | undefined;
  readonly text: string | null | undefined;
}): Prompt {
  if (input.tokenIds !== undefined) return { kind: 'tokens', tokenIds: input.tokenIds };
  if (typeof input.text === 'string') return { kind: 'text', text: input.text };
  throw new InvalidArgumentError('input must be text or tokenized');
}

function decodeSampling(params: sohu.v1.SamplingParams.$Properties): RequestSampling {
  return {
    ...DEFAULT_SAMPLING,
    temperature: params.temperature ?? DEFAULT_SAMPLING.temperature,
    topP: params.topP ?? DEFAULT_SAMPLING.topP,
    topK: params.topK === -1 ? 0 : (params.topK ?? DEFAULT_SAMPLING.topK),
    maxTokens: params.maxTokens ?? DEFAULT_SAMPLING.maxTokens,
    seed: params.seed ?? DEFAULT_SAMPLING.seed,
    ignoreEos: params.ignoreEos ?? DEFAULT_SAMPLING.ignoreEos,
  };
}

function encodeEvent(event: GenerateEvent): Uint8Array {
  return GenerateResponse.encode(eventFields(event)).finish();
}

function eventFields(event: GenerateEvent): sohu.v1.GenerateResponse.$Properties {
  switch (event.kind) {
    case 'accepted': {
      const { requestId, promptTokens, seed } = event;
      return { accepted: { requestId, promptTokens, seed } };
    }
    case 'tokens': {
      const { tokenIds, text, firstTokenIndex } = event;
      return { chunk: { tokenIds: [...tokenIds], text, firstTokenIndex } };
    }
    case 'complete': {
      const { finishReason, usage, timings } = event;
      return { complete: { finishReason, usage, timings } };
    }
  }
}

function decodeEvent(bytes: Uint8Array): GenerateEvent {
  const { accepted, chunk, complete } = GenerateResponse.decode(bytes);
  if (chunk) {
    const { tokenIds, text, firstTokenIndex } = chunk;
    return {
      kind: 'tokens',
      tokenIds: tokenIds ?? [],
      text: text ?? '',
      firstTokenIndex: firstTokenIndex ?? 0,
    };
  }
  if (accepted) {
    const { requestId, promptTokens, seed } = accepted;
    return {
      kind: 'accepted',
      requestId: requestId ?? '',
      promptTokens: promptTokens ?? 0,
      seed: seed ?? 0,
    };
  }
  if (complete) return decodeComplete(complete);
  throw new Error('response must be accepted, chunk or complete');
}

function decodeComplete(complete: sohu.v1.GenerateComplete.$Properties): CompleteEvent {
  const { finishReason, usage, timings } = complete;
  return {
    kind: 'complete',
    finishReason: checkedFinishReason(finishReason ?? ''),
    usage: {
      promptTokens: usage?.promptTokens ?? 0,
      completionTokens: usage?.completionTokens ?? 0,
      cachedTokens: usage?.cachedTokens ?? 0,
    },
    timings: {
      queueMs: timings?.queueMs ?? 0,
      prefillMs: timings?.prefillMs ?? 0,
      decodeMs: timings?.decodeMs ?? 0,
      e2eMs: timings?.e2eMs ?? 0,
    },
  };
}

function checkedFinishReason(reason: string): FinishReason {
  if (FINISH_REASONS.includes(reason)) return reason as FinishReason;
  throw new Error(`finish_reason must be one of ${FINISH_REASONS.join(', ')}, not "${reason}"`);
}

function encodeServerInfo(info: ServerInfo): Uint8Array {
  const lists = { eosTokenIds: [...info.eosTokenIds], chips: [...info.chips] };
  return GetServerInfoResponse.encode({ ...info, ...lists }).finish();
}

function decodeServerInfo(bytes: Uint8Array): ServerInfo {
  const info = GetServerInfoResponse.decode(bytes);
  return {
    modelName: info.modelName,
    precision: info.precision,
    tensorParallelSize: info.tensorParallelSize,
    serverType: info.serverType,
    version: info.version,
    maxContextLength: info.maxContextLength,
    vocabSize: info.vocabSize,
    eosTokenIds: info.eosTokenIds,
    kvBlocks: info.kvBlocks,
    maxNumSeqs: info.maxNumSeqs,
    chips: info.chips.map(decodeChip),
  };
}

function decodeChip(message: sohu.v1.ChipInfo.$Properties): ChipInfo {
  // The prototype of the message class supplies the default of every absent field.
  const chip = ChipInfoMessage.create(message);
  return {
    rank: chip.rank,
    pid: chip.pid,
    weightBytes: chip.weightBytes,
    hbmBytesUsed: chip.hbmBytesUsed,
    hbmBytesTotal: chip.hbmBytesTotal,
    bytesSent: chip.bytesSent,
    bytesReceived: chip.bytesReceived,
    computeMs: chip.computeMs,
    communicationMs: chip.communicationMs,
    steps: chip.steps,
    metricsAddress: chip.metricsAddress,
  };
}
