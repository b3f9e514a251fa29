import { CONSTRAINT_FIELDS } from '../core/grammar/constraint.ts';
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
  constraint: undefined,
  n: 1,
};

const MAX_SAMPLES = 128;
const MAX_STOP_STRINGS = 16;
const MAX_STOP_STRING_LENGTH = 256;
const MAX_STOP_TOKEN_IDS = 128;
const MAX_LOGIT_BIASES = 1024;

/** Refuses values outside their ranges, by the names that the fields have on the wire. */
export function checkRequestSampling(sampling: RequestSampling): void {
  validateSampling({ ...sampling, seed: sampling.seed ?? 0 });
  checkLogitBias(sampling);
  checkLengths(sampling);
  checkStops(sampling);
  checkSamples(sampling);
  checkConstraint(sampling);
}

function checkLogitBias({ logitBias }: Pick<SamplingParams, 'logitBias'>): void {
  if (logitBias.length <= MAX_LOGIT_BIASES) return;
  throw new InvalidArgumentError(
    `logit_bias must name at most ${MAX_LOGIT_BIASES} tokens, not ${logitBias.length}`,
  );
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
  for (const [index, text] of stop.entries()) checkStopText(`stop[${index}]`, text);
  if (stopTokenIds.length > MAX_STOP_TOKEN_IDS) {
    throw new InvalidArgumentError(
      `stop_token_ids must have at most ${MAX_STOP_TOKEN_IDS} ids, not ${stopTokenIds.length}`,
    );
  }
}

function checkStopText(name: string, text: string): void {
  if (text.length < 1 || text.length > MAX_STOP_STRING_LENGTH) {
    throw new InvalidArgumentError(
      `${name} must have 1 to ${MAX_STOP_STRING_LENGTH} characters, not ${text.length}`,
    );
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new InvalidArgumentError(`${name} must be Unicode without lone surrogates`);
  }
}

/** Whether it can be compiled is for the engine to say, which has the vocabulary. */
function checkConstraint({ constraint, ignoreEos }: RequestSampling): void {
  if (constraint === undefined || !ignoreEos) return;
  throw new InvalidArgumentError(
    `ignore_eos must be false beside ${CONSTRAINT_FIELDS[constraint.kind]}: a constrained text ends where it is complete`,
  );
}

function checkSamples({ n }: RequestSampling): void {
  if (Number.isInteger(n) && n >= 1 && n <= MAX_SAMPLES) return;
  throw new InvalidArgumentError(`n must be a whole number from 1 to ${MAX_SAMPLES}, not ${n}`);
}
