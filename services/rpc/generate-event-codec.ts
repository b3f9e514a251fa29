import { sohu } from '#proto';
import type { DrawLogprobs, PromptLogprobs } from '../core/sampling/drawn-token.ts';
import type {
  AcceptedEvent,
  CompleteEvent,
  FinishReason,
  GenerateEvent,
  PromptLogprobsEvent,
  Timings,
  TokensEvent,
} from './inference-types.ts';

const { GenerateResponse } = sohu.v1;

const FINISH_REASONS: readonly string[] = ['stop', 'length', 'abort'] satisfies FinishReason[];

export function encodeGenerateEvent(event: GenerateEvent): Uint8Array {
  return GenerateResponse.encode(eventFields(event)).finish();
}

/** Throws where the response is none of the events. */
export function decodeGenerateEvent(bytes: Uint8Array): GenerateEvent {
  const { accepted, chunk, complete } = GenerateResponse.decode(bytes);
  if (chunk) return decodeChunk(chunk);
  if (accepted) return decodeAccepted(accepted);
  if (complete) return decodeComplete(complete);
  throw new Error('response must be accepted, chunk or complete');
}

function eventFields(event: GenerateEvent): sohu.v1.GenerateResponse.$Properties {
  switch (event.kind) {
    case 'accepted': {
      const { requestId, promptTokens, seed, model = '' } = event;
      return { accepted: { requestId, promptTokens, seed, model } };
    }
    case 'promptLogprobs': {
      const { firstTokenIndex, logprobs } = event;
      const inputLogprobs = logprobs.map((each) => ({ ...each, top: [...each.top] }));
      return { chunk: { firstInputIndex: firstTokenIndex, inputLogprobs } };
    }
    case 'tokens': {
      const { index, tokenIds, text, firstTokenIndex, isLast, logprobs } = event;
      const outputLogprobs = logprobs.map(({ logprob, top }) => ({ logprob, top: [...top] }));
      const place = { index, firstTokenIndex, isLast };
      return { chunk: { ...place, tokenIds: [...tokenIds], text, outputLogprobs } };
    }
    case 'complete': {
      const { index, finishReason, usage, timings, preemptions, deviceTimings } = event;
      const stop = stopFields(event.stopReason);
      return {
        complete: {
          index,
          finishReason,
          ...stop,
          usage,
          timings,
          preemptions,
          deviceTimings: deviceTimings ?? null,
        },
      };
    }
  }
}

function stopFields(
  reason: string | number | undefined,
): Pick<sohu.v1.GenerateComplete.$Properties, 'matchedStopStr' | 'matchedTokenId'> {
  if (reason === undefined) return {};
  return typeof reason === 'string' ? { matchedStopStr: reason } : { matchedTokenId: reason };
}

function decodeAccepted(accepted: sohu.v1.GenerateAccepted.$Properties): AcceptedEvent {
  return {
    kind: 'accepted',
    requestId: accepted.requestId ?? '',
    promptTokens: accepted.promptTokens ?? 0,
    seed: accepted.seed ?? 0,
    ...(accepted.model && { model: accepted.model }),
  };
}

/** A chunk tells of the prompt or of drawn tokens, never of both. */
function decodeChunk(
  chunk: sohu.v1.GenerateStreamChunk.$Properties,
): PromptLogprobsEvent | TokensEvent {
  const { inputLogprobs, firstInputIndex } = chunk;
  if (!inputLogprobs?.length) return decodeTokens(chunk);
  const logprobs = inputLogprobs.map(
    (each): PromptLogprobs => ({ token: each.token ?? 0, ...decodeLogprobs(each) }),
  );
  return { kind: 'promptLogprobs', firstTokenIndex: firstInputIndex ?? 0, logprobs };
}

function decodeTokens(chunk: sohu.v1.GenerateStreamChunk.$Properties): TokensEvent {
  return {
    kind: 'tokens',
    index: chunk.index ?? 0,
    tokenIds: chunk.tokenIds ?? [],
    text: chunk.text ?? '',
    firstTokenIndex: chunk.firstTokenIndex ?? 0,
    isLast: chunk.isLast ?? false,
    logprobs: (chunk.outputLogprobs ?? []).map(decodeLogprobs),
  };
}

function decodeLogprobs({
  logprob,
  top,
}: Pick<sohu.v1.TokenLogprobs.$Properties, 'logprob' | 'top'>): DrawLogprobs {
  const pairs = top ?? [];
  return {
    logprob: logprob ?? 0,
    top: pairs.map((pair) => ({ token: pair.token ?? 0, logprob: pair.logprob ?? 0 })),
  };
}

function decodeComplete(complete: sohu.v1.GenerateComplete.$Properties): CompleteEvent {
  const { usage, timings, deviceTimings } = complete;
  return {
    kind: 'complete',
    index: complete.index ?? 0,
    finishReason: checkedFinishReason(complete.finishReason ?? ''),
    stopReason: complete.matchedStopStr ?? complete.matchedTokenId ?? undefined,
    usage: {
      promptTokens: usage?.promptTokens ?? 0,
      completionTokens: usage?.completionTokens ?? 0,
      cachedTokens: usage?.cachedTokens ?? 0,
    },
    timings: decodeTimings(timings ?? {}),
    ...(deviceTimings && { deviceTimings: decodeTimings(deviceTimings) }),
    preemptions: complete.preemptions ?? 0,
  };
}

function decodeTimings(timings: sohu.v1.Timings.$Properties): Timings {
  return {
    queueMs: timings.queueMs ?? 0,
    prefillMs: timings.prefillMs ?? 0,
    decodeMs: timings.decodeMs ?? 0,
    inferenceMs: timings.inferenceMs ?? 0,
    e2eMs: timings.e2eMs ?? 0,
  };
}

function checkedFinishReason(reason: string): FinishReason {
  if (FINISH_REASONS.includes(reason)) return reason as FinishReason;
  throw new Error(`finish_reason must be one of ${FINISH_REASONS.join(', ')}, not "${reason}"`);
}
