import { GREEDY, validateSampling } from '../core/sampling/params.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';
import type { RequestSampling } from './inference-types.ts';

/** What a request gets where it says nothing. */
export const DEFAULT_SAMPLING: RequestSampling = {
  ...GREEDY,
  temperature: 1,
  maxTokens: undefined,
  seed: undefined,
  ignoreEos: false,
};

/** Refuses values outside their ranges, by the names that the fields have on the wire. */
export function checkRequestSampling(sampling: RequestSampling): void {
  const { maxTokens } = sampling;
  validateSampling({ ...sampling, seed: sampling.seed ?? 0 });
  if (maxTokens !== undefined && maxTokens < 1) {
    throw new InvalidArgumentError(`max_tokens must be at least 1, not ${maxTokens}`);
  }
}
