import { sohu } from '#proto';
import type { LogitBias } from '../core/sampling/params.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';
import { decodeConstraint, encodeConstraint } from './constraint-codec.ts';
import type { GenerateInput, Prompt, RequestSampling } from './inference-types.ts';
import { DEFAULT_SAMPLING } from './request-sampling.ts';
import { decodeResumption, encodeResumption } from './resumption-codec.ts';

const { GenerateRequest } = sohu.v1;

export function encodeGenerateRequest(request: GenerateInput): Uint8Array {
  const { requestId, prompt, sampling, priority, cacheSalt, clientId, resumption } = request;
  const input =
    prompt.kind === 'text'
      ? { text: prompt.text }
      : { tokenized: { inputIds: [...prompt.tokenIds] } };
  const samplingParams = encodeSampling(sampling);
  const names = { requestId, cacheSalt, clientId };
  return GenerateRequest.encode({
    ...names,
    ...input,
    samplingParams,
    priority,
    resumption: resumption === undefined ? null : encodeResumption(resumption),
  }).finish();
}

/** Throws InvalidArgumentError where the request has no input. */
export function decodeGenerateRequest(bytes: Uint8Array): GenerateInput {
  const message = GenerateRequest.decode(bytes);
  const { requestId, tokenized, text, samplingParams, priority, cacheSalt, clientId } = message;
  const prompt = decodePrompt({ tokenIds: tokenized?.inputIds ?? undefined, text });
  const sampling = decodeSampling(samplingParams ?? {});
  const input = { requestId, prompt, sampling, priority, cacheSalt, clientId };
  if (!message.resumption) return input;
  return { ...input, resumption: decodeResumption(message.resumption) };
}

function encodeSampling(sampling: RequestSampling): sohu.v1.SamplingParams.$Properties {
  const { maxTokens, seed, logprobs, promptLogprobs, constraint, ...others } = sampling;
  const { stop, stopTokenIds, logitBias, ...rest } = others;
  return {
    ...rest,
    ...(constraint && encodeConstraint(constraint)),
    maxTokens: maxTokens ?? null,
    seed: seed ?? null,
    logprobs: logprobs ?? null,
    promptLogprobs: promptLogprobs ?? null,
    stop: [...stop],
    stopTokenIds: [...stopTokenIds],
    logitBias: Object.fromEntries(logitBias.map(({ token, bias }) => [token, bias])),
  };
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
    temperature: params.temperature ?? DEFAULT_SAMPLING.temperature,
    topP: params.topP ?? DEFAULT_SAMPLING.topP,
    topK: params.topK === -1 ? 0 : (params.topK ?? DEFAULT_SAMPLING.topK),
    minP: params.minP ?? DEFAULT_SAMPLING.minP,
    repetitionPenalty: params.repetitionPenalty ?? DEFAULT_SAMPLING.repetitionPenalty,
    presencePenalty: params.presencePenalty ?? DEFAULT_SAMPLING.presencePenalty,
    frequencyPenalty: params.frequencyPenalty ?? DEFAULT_SAMPLING.frequencyPenalty,
    logitBias: decodeLogitBias(params.logitBias ?? {}),
    logprobs: params.logprobs ?? DEFAULT_SAMPLING.logprobs,
    promptLogprobs: params.promptLogprobs ?? DEFAULT_SAMPLING.promptLogprobs,
    maxTokens: params.maxTokens ?? DEFAULT_SAMPLING.maxTokens,
    minTokens: params.minTokens ?? DEFAULT_SAMPLING.minTokens,
    seed: params.seed ?? DEFAULT_SAMPLING.seed,
    ignoreEos: params.ignoreEos ?? DEFAULT_SAMPLING.ignoreEos,
    stop: params.stop ?? DEFAULT_SAMPLING.stop,
    stopTokenIds: params.stopTokenIds ?? DEFAULT_SAMPLING.stopTokenIds,
    includeStopStrInOutput:
      params.includeStopStrInOutput ?? DEFAULT_SAMPLING.includeStopStrInOutput,
    constraint: decodeConstraint(params),
    n: params.n ?? DEFAULT_SAMPLING.n,
  };
}

/** In the order of the token ids, whatever the order on the wire. */
function decodeLogitBias(biases: Readonly<Record<string, number>>): readonly LogitBias[] {
  return Object.entries(biases).map(([token, bias]) => ({ token: Number(token), bias }));
}
