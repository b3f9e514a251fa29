import { MAX_TIMEOUT_MS } from '../call-options.ts';
import type { Metadata } from '../metadata.ts';
import type { RpcError } from '../status.ts';

/** What a server asks of a client that would try again. */
export type Pushback =
  | { readonly kind: 'none' }
  | { readonly kind: 'after'; readonly delayMs: number }
  | { readonly kind: 'never' };

/** The trailer of gRFC A6: milliseconds; anything else means not to try again. */
export const PUSHBACK_TRAILER = 'grpc-retry-pushback-ms';

/** What a failed attempt says: in its trailer, or in the RetryInfo of its error. */
export function pushbackOf(error: RpcError, trailers: Metadata): Pushback {
  const trailer = trailers.get(PUSHBACK_TRAILER);
  if (trailer !== undefined) {
    return /^\d{1,9}$/.test(trailer)
      ? { kind: 'after', delayMs: Number(trailer) }
      : { kind: 'never' };
  }
  for (const detail of error.details) {
    if (detail.kind !== 'retryInfo') continue;
    const { retryDelayMs } = detail;
    const canWait = retryDelayMs >= 0 && retryDelayMs <= MAX_TIMEOUT_MS;
    return canWait ? { kind: 'after', delayMs: retryDelayMs } : { kind: 'never' };
  }
  return { kind: 'none' };
}
