import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { ErrorCode } from '../status.ts';

/** When and how often a failed call is tried again, as gRFC A6 has it. */
export interface RetryPolicy {
  /** The first attempt included, 1 to 5. */
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly backoffMultiplier: number;
  /** RESOURCE_EXHAUSTED only counts where the server says when to try again. */
  readonly retryableCodes: readonly ErrorCode[];
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 4,
  initialBackoffMs: 50,
  maxBackoffMs: 2_000,
  backoffMultiplier: 2,
  retryableCodes: ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'],
};

const MAX_ATTEMPTS = 5;
/** Spreads the retries of clients that failed together. */
const JITTER = 0.2;

export function checkRetryPolicy(policy: RetryPolicy): void {
  const { maxAttempts, initialBackoffMs, maxBackoffMs, backoffMultiplier } = policy;
  if (!(Number.isInteger(maxAttempts) && maxAttempts >= 1 && maxAttempts <= MAX_ATTEMPTS)) {
    throw new InvalidArgumentError(
      `maxAttempts must be a whole number from 1 to ${MAX_ATTEMPTS}, not ${maxAttempts}`,
    );
  }
  for (const [name, value] of Object.entries({
    initialBackoffMs,
    maxBackoffMs,
    backoffMultiplier,
  })) {
    if (value > 0 && Number.isFinite(value)) continue;
    throw new InvalidArgumentError(`${name} must be a number above 0, not ${value}`);
  }
}

/**
 * Milliseconds before a retry, the first since the start or since the server named a delay being
 * number 1; `draw` is uniform in [0, 1).
 */
export function backoffMs(
  policy: RetryPolicy,
  { retry, draw }: { readonly retry: number; readonly draw: number },
): number {
  const { initialBackoffMs, maxBackoffMs, backoffMultiplier } = policy;
  const backoff = Math.min(initialBackoffMs * backoffMultiplier ** (retry - 1), maxBackoffMs);
  return backoff * (1 - JITTER + 2 * JITTER * draw);
}
