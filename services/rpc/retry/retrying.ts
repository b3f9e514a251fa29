import type { CallOptions } from '../call-options.ts';
import { type Clock, HOST_CLOCK } from '../clock.ts';
import type { Interceptor } from '../interceptor.ts';
import { EMPTY_METADATA, type Metadata } from '../metadata.ts';
import { RpcError } from '../status.ts';
import { type Pushback, pushbackOf } from './pushback.ts';
import {
  backoffMs,
  checkRetryPolicy,
  DEFAULT_RETRY_POLICY,
  type RetryPolicy,
} from './retry-policy.ts';
import {
  DEFAULT_RETRY_THROTTLE,
  RetryThrottle,
  type RetryThrottleOptions,
} from './retry-throttle.ts';

export interface RetryOptions {
  /** What differs from the default. */
  readonly policy?: Partial<RetryPolicy>;
  readonly throttle?: RetryThrottleOptions;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** Tells the server how many attempts came before this one. */
export const ATTEMPTS_METADATA = 'grpc-previous-rpc-attempts';

/**
 * An interceptor of clients that tries failed calls again, as gRFC A6 has it. A call is never
 * repeated once its headers or its first message were handed on, and never beyond its deadline.
 * For methods that may be executed twice.
 */
export function retrying(options: RetryOptions = {}): Interceptor<CallOptions> {
  const { clock = HOST_CLOCK, random = Math.random } = options;
  const policy = { ...DEFAULT_RETRY_POLICY, ...options.policy };
  checkRetryPolicy(policy);
  const throttle = new RetryThrottle(options.throttle ?? DEFAULT_RETRY_THROTTLE);
  return async function* (call, next) {
    const attempts = new Attempts({ policy, clock, random, throttle, call: call.context });
    for (;;) {
      try {
        for await (const response of next({ ...call, context: attempts.next() })) {
          attempts.commit();
          yield response;
        }
        throttle.recordSuccess();
        attempts.handOnTrailers();
        return;
      } catch (error) {
        const failure = RpcError.from(error);
        const delayMs = attempts.delayAfter(failure);
        if (delayMs === undefined) {
          attempts.handOnTrailers();
          throw failure;
        }
        await clock.sleep(delayMs, call.context.signal);
      }
    }
  };
}

interface AttemptsOptions {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly throttle: RetryThrottle;
  readonly call: CallOptions;
}

/** The attempts at one call. */
class Attempts {
  readonly #options: AttemptsOptions;
  readonly #startMs: number;
  #count = 0;
  #retriesSincePushback = 0;
  #committed = false;
  #trailers: Metadata | undefined;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#startMs = options.clock.now();
  }

  /** The options of the next attempt. */
  next(): CallOptions {
    const { call } = this.#options;
    const previous = this.#count;
    this.#count += 1;
    this.#trailers = undefined;
    const attempts: Metadata =
      previous === 0 ? EMPTY_METADATA : new Map([[ATTEMPTS_METADATA, `${previous}`]]);
    return {
      ...call,
      timeoutMs: this.#remainingMs(),
      metadata: new Map([...(call.metadata ?? EMPTY_METADATA), ...attempts]),
      onHeader: (headers) => {
        this.commit();
        call.onHeader?.(headers);
      },
      onTrailer: (trailers) => {
        this.#trailers = trailers;
      },
    };
  }

  /** The caller has seen something of this attempt: it is the last. */
  commit(): void {
    this.#committed = true;
  }

  handOnTrailers(): void {
    if (this.#trailers !== undefined) this.#options.call.onTrailer?.(this.#trailers);
  }

  /** Milliseconds to wait before the next attempt; undefined where there is none. */
  delayAfter(failure: RpcError): number | undefined {
    const { policy, throttle, call } = this.#options;
    const pushback = pushbackOf(failure, this.#trailers ?? EMPTY_METADATA);
    const isRetryable = this.#isRetryable(failure, pushback);
    if (isRetryable || pushback.kind === 'never') throttle.recordFailure();
    if (!isRetryable || pushback.kind === 'never' || !throttle.allowsRetry) return undefined;
    if (this.#committed || this.#count >= policy.maxAttempts) return undefined;
    if (call.signal?.aborted) return undefined;
    const delayMs = this.#delayMs(pushback);
    return delayMs < (this.#remainingMs() ?? Number.POSITIVE_INFINITY) ? delayMs : undefined;
  }

  #isRetryable({ code }: RpcError, pushback: Pushback): boolean {
    if (code === 'RESOURCE_EXHAUSTED' && pushback.kind === 'none') return false;
    return this.#options.policy.retryableCodes.includes(code);
  }

  #delayMs(pushback: Pushback): number {
    if (pushback.kind === 'after') {
      this.#retriesSincePushback = 0;
      return pushback.delayMs;
    }
    this.#retriesSincePushback += 1;
    const { policy, random } = this.#options;
    return backoffMs(policy, { retry: this.#retriesSincePushback, draw: random() });
  }

  /** What is left of the call's time, in whole milliseconds; undefined without a limit. */
  #remainingMs(): number | undefined {
    const { clock, call } = this.#options;
    if (call.timeoutMs === undefined || this.#count <= 1) return call.timeoutMs;
    return Math.max(1, Math.floor(call.timeoutMs - (clock.now() - this.#startMs)));
  }
}
