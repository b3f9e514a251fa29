import { RpcError } from './status.ts';

/** What a refused client should wait before it tries again. */
const RETRY_DELAY_MS = 1_000;

/** A limit that a call would exceed for now. */
export interface ExceededLimit {
  /** Whose limit it is, such as `server:one`. */
  readonly subject: string;
  /** The limit, in one sentence. */
  readonly description: string;
}

/** The error of a call that was refused for want of room: which limit it met, and when to return. */
export function overloaded(limit: ExceededLimit): RpcError {
  return new RpcError('RESOURCE_EXHAUSTED', limit.description, {
    details: [
      { kind: 'quotaFailure', violations: [limit] },
      { kind: 'retryInfo', retryDelayMs: RETRY_DELAY_MS },
    ],
  });
}
