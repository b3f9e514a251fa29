import { InvalidArgumentError } from '../support/errors.ts';

/** How a token is drawn. */
export interface SamplingParams {
  /** 0, and what is almost 0, is greedy. */
  readonly temperature: number;
  /** Probability mass of the nucleus, in (0, 1]; 1 is all. */
  readonly topP: number;
  /** Number of most likely tokens kept; 0 is all. */
  readonly topK: number;
  /** Unsigned 32-bit integer. */
  readonly seed: number;
}

export const GREEDY: SamplingParams = { temperature: 0, topP: 1, topK: 0, seed: 0 };

/** Refuses parameters outside their ranges with a sentence that names the field. */
export function validateSampling(params: SamplingParams): void {
  const { temperature, topP, topK, seed } = params;
  if (!(temperature >= 0 && temperature <= 100)) {
    throw new InvalidArgumentError(`temperature must be between 0 and 100, not ${temperature}`);
  }
  if (!(topP > 0 && topP <= 1)) {
    throw new InvalidArgumentError(`top_p must be above 0 and at most 1, not ${topP}`);
  }
  if (!(Number.isInteger(topK) && topK >= 0 && topK <= 0xffffffff)) {
    throw new InvalidArgumentError(`top_k must be a whole number from 0 (all tokens), not ${topK}`);
  }
  if (!(Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff)) {
    throw new InvalidArgumentError(`seed must be a whole number from 0 to 4294967295, not ${seed}`);
  }
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

/** Whether a draw needs the order of the tokens and not only one winner per shard. */
export function needsNucleus(params: SamplingParams): boolean {
  return !isGreedy(params) && (params.topP < 1 || params.topK > 0);
}
