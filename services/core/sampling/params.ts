import { InvalidArgumentError } from '../support/errors.ts';

/** What is added to one token's logit. */
export interface LogitBias {
  readonly token: number;
  readonly bias: number;
}

/** How a token is drawn. */
export interface SamplingParams {
  /** 0, and what is almost 0, is greedy. */
  readonly temperature: number;
  /** Probability mass of the nucleus, in (0, 1]; 1 is all. */
  readonly topP: number;
  /** Number of most likely tokens kept; 0 is all. */
  readonly topK: number;
  /** Least probability of a token that is kept, relative to the likeliest one's, in [0, 1]. */
  readonly minP: number;
  /** Unsigned 32-bit integer. */
  readonly seed: number;
  /** Above 1 makes tokens of the prompt and of the output less likely; 1 changes nothing. */
  readonly repetitionPenalty: number;
  /** Taken from the logits of tokens that the output holds; 0 changes nothing. */
  readonly presencePenalty: number;
  /** Taken from the logits of the output's tokens, once for every occurrence; 0 changes nothing. */
  readonly frequencyPenalty: number;
  /** At most one for each token. */
  readonly logitBias: readonly LogitBias[];
  /**
   * Likeliest tokens to report the log-probabilities of, beside the drawn one's; undefined reports
   * none at all.
   */
  readonly logprobs: number | undefined;
  /** The same for every token of the prompt but the first; undefined reports none. */
  readonly promptLogprobs: number | undefined;
}

/** The largest logit, unchanged. */
export const GREEDY: SamplingParams = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: [],
  logprobs: undefined,
  promptLogprobs: undefined,
};

/** Most tokens that a request may have log-probabilities of beside the drawn or prompted one's. */
export const MAX_LOGPROBS = 128;

/**
 * Refuses parameters outside their ranges with a sentence that names the field. Whether the model
 * has the biased tokens is not known here.
 */
export function validateSampling(params: SamplingParams): void {
  const { temperature, topP, topK, minP, seed, repetitionPenalty } = params;
  checkBetween('temperature', temperature, [0, 100]);
  if (!(topP > 0 && topP <= 1)) {
    throw new InvalidArgumentError(`top_p must be above 0 and at most 1, not ${topP}`);
  }
  if (!isWord(topK)) {
    throw new InvalidArgumentError(`top_k must be a whole number from 0 (all tokens), not ${topK}`);
  }
  checkBetween('min_p', minP, [0, 1]);
  if (!isWord(seed)) {
    throw new InvalidArgumentError(`seed must be a whole number from 0 to 4294967295, not ${seed}`);
  }
  if (!(repetitionPenalty > 0 && repetitionPenalty <= 100)) {
    throw new InvalidArgumentError(
      `repetition_penalty must be above 0 and at most 100, not ${repetitionPenalty}`,
    );
  }
  checkBetween('presence_penalty', params.presencePenalty, [-2, 2]);
  checkBetween('frequency_penalty', params.frequencyPenalty, [-2, 2]);
  checkLogitBias(params.logitBias);
  checkLogprobs('logprobs', params.logprobs);
  checkLogprobs('prompt_logprobs', params.promptLogprobs);
}

function checkLogprobs(field: string, count: number | undefined): void {
  if (count === undefined || (isWord(count) && count <= MAX_LOGPROBS)) return;
  throw new InvalidArgumentError(
    `${field} must be a whole number from 0 to ${MAX_LOGPROBS}, not ${count}`,
  );
}

function checkLogitBias(logitBias: readonly LogitBias[]): void {
  const tokens = new Set<number>();
  for (const { token, bias } of logitBias) {
    if (!isWord(token)) {
      throw new InvalidArgumentError(
        `logit_bias must name tokens by whole numbers from 0, not ${token}`,
      );
    }
    if (tokens.has(token)) {
      throw new InvalidArgumentError(
        `logit_bias must have one value for a token, not several for token ${token}`,
      );
    }
    tokens.add(token);
    checkBetween(`logit_bias[${token}]`, bias, [-100, 100]);
  }
}

function checkBetween(
  field: string,
  value: number,
  [least, most]: readonly [number, number],
): void {
  if (value >= least && value <= most) return;
  throw new InvalidArgumentError(`${field} must be between ${least} and ${most}, not ${value}`);
}

/** Whether it is an unsigned 32-bit integer, as the wire has them. */
function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}

/**
 * Below it noise outweighs no difference between logits that f32 can hold, and the quotients
 * overflow.
 */
const GREEDY_TEMPERATURE = 1e-5;

/** Whether the token with the largest logit is taken, as vLLM does for a temperature near 0. */
export function isGreedy(params: SamplingParams): boolean {
  return params.temperature < GREEDY_TEMPERATURE;
}

/** Whether a draw depends on which tokens the sequence holds. */
export function countsTokens(params: SamplingParams): boolean {
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = params;
  return repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
}

/** Whether a draw needs the order of the tokens and not only one winner per shard. */
export function needsNucleus(params: SamplingParams): boolean {
  return !isGreedy(params) && (params.topP < 1 || params.topK > 0 || params.minP > 0);
}
