import { type Clock, HOST_CLOCK } from '../rpc/clock.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../rpc/retry/retry-policy.ts';
import type { RetryOptions } from '../rpc/retry/retrying.ts';

/** Longer than a coordinator takes to start anew and find its chips, or a broker to come back. */
const DEFAULT_PATIENCE_MS = 60_000;

/** How streams that lose their server go on. */
export interface ResumeOptions {
  /** Host time without a new token that a stream waits for a server; 60 s where absent. */
  readonly patienceMs?: number;
}

export interface ResumeRules {
  readonly patienceMs: number;
  /** How attempts are spread. */
  readonly backoff: RetryPolicy;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Fires when the client is closed. */
  readonly closed: AbortSignal;
}

/** Undefined where streams end with their server: resumption, or trying again at all, is turned off. */
export function resumeRules(
  {
    retry = {},
    resume = retry === false ? false : {},
  }: { readonly retry?: RetryOptions | false; readonly resume?: ResumeOptions | false },
  closed: AbortSignal,
): ResumeRules | undefined {
  if (resume === false) return undefined;
  const { policy, clock = HOST_CLOCK, random = Math.random } = retry === false ? {} : retry;
  const { patienceMs = DEFAULT_PATIENCE_MS } = resume;
  const backoff = { ...DEFAULT_RETRY_POLICY, ...policy };
  return { patienceMs, backoff, clock, random, closed };
}
