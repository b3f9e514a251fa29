import { GREEDY, type SamplingParams, validateSampling } from '../core/sampling/params.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';
import type { RequestSampling } from './inference-types.ts';

/** What a request gets where it says nothing. */
export const DEFAULT_SAMPLING: RequestSampling = {
  ...GREEDY,
  temperature: 1,
  maxTokens: undefined,
  minTokens: 0,
  seed: undefined,
  ignoreEos: false,
  stop: [],
  stopTokenIds: [],
  includeStopStrInOutput: false,
  n: 1,
};

/** The most log-probabilities that a request may ask for beside each drawn token's. */
export const MAX_LOGPROBS = 128;

const MAX_SAMPLES = 128;
const MAX_STOP_STRINGS = 16;
const MAX_STOP_STRING_LENGTH = 256;
const MAX_STOP_TOKEN_IDS = 128;
const MAX_LOGIT_BIASES = 1024;
const MAX_LOGIT_BIAS = 100;

/** Refuses values outside their ranges, by the names that the fields have on the wire. */
export function checkRequestSampling(sampling: RequestSampling): void {
  validateSampling({ ...sampling, seed: sampling.seed ?? 0 });
  checkWeights(sampling);
  checkLogitBias(sampling);
  checkLengths(sampling);
  checkStops(sampling);
  const { n, logprobs } = sampling;
  checkWhole('n', n, { from: 1, to: MAX_SAMPLES });
  if (logprobs !== undefined) checkWhole('logprobs', logprobs, { from: 0, to: MAX_LOGPROBS });
}

function checkWeights(sampling: RequestSampling): void {
  const { minP, repetitionPenalty } = sampling;
  if (!(minP >= 0 && minP <= 1)) {
    throw new InvalidArgumentError(`min_p must be between 0 and 1, not ${minP}`);
  }
  if (!(repetitionPenalty > 0 && repetitionPenalty <= 100)) {
    throw new InvalidArgumentError(
      `repetition_penalty must be above 0 and at most 100, not ${repetitionPenalty}`,
    );
  }
  const penalties = {
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
  };
  for (const [name, value] of Object.entries(penalties)) {
    if (value >= -2 && value <= 2) continue;
    throw new InvalidArgumentError(`${name} must be between -2 and 2, not ${value}`);
  }
}

function checkLogitBias({ logitBias }: Pick<SamplingParams, 'logitBias'>): void {
  const bad = logitBias.find(({ bias }) => !(Math.abs(bias) <= MAX_LOGIT_BIAS));
  if (bad !== undefined) {
    throw new InvalidArgumentError(
      `logit_bias must be between -${MAX_LOGIT_BIAS} and ${MAX_LOGIT_BIAS}, not ${bad.bias} for token ${bad.token}`,
    );
  }
  if (logitBias.length > MAX_LOGIT_BIASES) {
    throw new InvalidArgumentError(
      `logit_bias must name at most ${MAX_LOGIT_BIASES} tokens, not ${logitBias.length}`,
    );
  }
}

function checkLengths({ maxTokens, minTokens }: RequestSampling): void {
  if (maxTokens !== undefined && maxTokens < 1) {
    throw new InvalidArgumentError(`max_tokens must be at least 1, not ${maxTokens}`);
  }
  if (minTokens < 0) throw new InvalidArgumentError(`min_tokens must be from 0, not ${minTokens}`);
  if (maxTokens !== undefined && minTokens > maxTokens) {
    throw new InvalidArgumentError(
      `min_tokens must be at most max_tokens, which is ${maxTokens}, not ${minTokens}`,
    );
  }
}

function checkStops({ stop, stopTokenIds }: RequestSampling): void {
  if (stop.length > MAX_STOP_STRINGS) {
    throw new InvalidArgumentError(
      `stop must have at most ${MAX_STOP_STRINGS} texts, not ${stop.length}`,
    );
  }
  const bad = stop.find(({ length }) => length < 1 || length > MAX_STOP_STRING_LENGTH);
  if (bad !== undefined) {
    throw new InvalidArgumentError(
      `a text of stop must have 1 to ${MAX_STOP_STRING_LENGTH} characters, not ${bad.length}`,
    );
  }
  if (stop.some((text) => /\p{Surrogate}/u.test(text))) {
    throw new InvalidArgumentError('a text of stop must be Unicode without lone surrogates');
  }
  if (stopTokenIds.length > MAX_STOP_TOKEN_IDS) {
    throw new InvalidArgumentError(
      `stop_token_ids must have at most ${MAX_STOP_TOKEN_IDS} ids, not ${stopTokenIds.length}`,
    );
  }
}

function checkWhole(
  name: string,
  value: number,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new InvalidArgumentError(
    `${name} must be a whole number from ${from} to ${to}, not ${value}`,
  );
}
