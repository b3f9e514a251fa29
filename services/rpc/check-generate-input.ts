import { InvalidArgumentError } from '../core/support/errors.ts';
import type { GenerateInput, RequestSampling, Resumption } from './inference-types.ts';
import { checkRequestSampling } from './request-sampling.ts';

const MAX_NAME_LENGTH = 128;
const MAX_CACHE_SALT_LENGTH = 256;
const MAX_ABORTED_REQUESTS = 1_024;

/**
 * Throws InvalidArgumentError for values outside their ranges, by the names that the fields have on
 * the wire.
 */
export function checkGenerateInput(input: GenerateInput): void {
  checkLength('request_id', input.requestId, { from: 1, to: MAX_NAME_LENGTH });
  checkLength('cache_salt', input.cacheSalt, { from: 0, to: MAX_CACHE_SALT_LENGTH });
  checkLength('client_id', input.clientId, { from: 0, to: MAX_NAME_LENGTH });
  checkRequestSampling(input.sampling);
  if (input.resumption !== undefined) checkResumption(input.resumption, input.sampling);
}

function checkResumption(
  { samples, promptLogprobs }: Resumption,
  sampling: Pick<RequestSampling, 'n' | 'seed' | 'promptLogprobs'>,
): void {
  const { n, seed } = sampling;
  if (seed === undefined) {
    throw new InvalidArgumentError('seed must be given with a resumption: its tokens depend on it');
  }
  if (samples.length !== n) {
    throw new InvalidArgumentError(
      `resumption.samples must be ${n}, one for each sample, not ${samples.length}`,
    );
  }
  if (samples.every(({ isComplete }) => isComplete)) {
    throw new InvalidArgumentError('resumption.samples must have one that is not complete');
  }
  if (promptLogprobs > 0 && sampling.promptLogprobs === undefined) {
    throw new InvalidArgumentError(
      'resumption.input_logprobs must be 0 where the request does not ask for prompt_logprobs',
    );
  }
}

/** Throws InvalidArgumentError for too few or too many names. */
export function checkAbort({ length }: readonly string[]): void {
  if (length >= 1 && length <= MAX_ABORTED_REQUESTS) return;
  throw new InvalidArgumentError(
    `request_ids must have 1 to ${MAX_ABORTED_REQUESTS} names, not ${length}`,
  );
}

function checkLength(
  name: string,
  { length }: string,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  if (length >= from && length <= to) return;
  throw new InvalidArgumentError(`${name} must have ${from} to ${to} characters, not ${length}`);
}
