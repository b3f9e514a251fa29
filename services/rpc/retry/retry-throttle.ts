/** How many failures a client retries: gRFC A6. */
export interface RetryThrottleOptions {
  readonly maxTokens: number;
  /** What one success gives back. */
  readonly tokenRatio: number;
}

export const DEFAULT_RETRY_THROTTLE: RetryThrottleOptions = { maxTokens: 10, tokenRatio: 0.1 };

/**
 * A bucket of tokens that failures empty and successes fill: at half or less there are no retries,
 * so that clients do not multiply the load of servers that fail.
 */
export class RetryThrottle {
  readonly #options: RetryThrottleOptions;
  #tokens: number;

  constructor(options: RetryThrottleOptions) {
    this.#options = options;
    this.#tokens = options.maxTokens;
  }

  recordSuccess(): void {
    this.#tokens = Math.min(this.#options.maxTokens, this.#tokens + this.#options.tokenRatio);
  }

  recordFailure(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  get allowsRetry(): boolean {
    return this.#tokens > this.#options.maxTokens / 2;
  }
}
