import { badRequest, HttpError } from '../http-error.ts';
import { TokenBucket } from './token-bucket.ts';

/** What one key may do in a minute; undefined is no limit. */
export interface MinuteLimits {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
}

/** The tokens that a request holds back from its key's budget while it runs. */
export interface Reservation {
  /** Ends it: what was not used is given back. */
  settle(usedTokens: number): void;
}

type Resource = 'requests' | 'tokens';

/** The budgets of one key. Times are those of `performance.now`. */
export class RateLimits {
  readonly #buckets: ReadonlyMap<Resource, TokenBucket>;
  readonly #nowMs: () => number;

  constructor(limits: MinuteLimits, nowMs: () => number) {
    this.#nowMs = nowMs;
    const { requestsPerMinute, tokensPerMinute } = limits;
    const given = [
      ['requests', requestsPerMinute] as const,
      ['tokens', tokensPerMinute] as const,
    ].filter((pair): pair is [Resource, number] => pair[1] !== undefined);
    this.#buckets = new Map(
      given.map(([name, perMinute]) => [name, new TokenBucket(perMinute, nowMs())]),
    );
  }

  /** Takes one request and so many tokens; throws 429 where the budget lacks them now, else 400. */
  reserve(tokens: number): Reservation {
    const nowMs = this.#nowMs();
    const amounts: Readonly<Record<Resource, number>> = { requests: 1, tokens };
    for (const [name, bucket] of this.#buckets)
      check(name, { bucket, amount: amounts[name], nowMs });
    for (const [name, bucket] of this.#buckets) bucket.take(amounts[name], nowMs);
    return {
      settle: (usedTokens) => {
        const unused = Math.max(0, tokens - usedTokens);
        this.#buckets.get('tokens')?.giveBack(unused, this.#nowMs());
      },
    };
  }

  /** `x-ratelimit-*`, as OpenAI names them. */
  headers(): Readonly<Record<string, string>> {
    const nowMs = this.#nowMs();
    const entries = [...this.#buckets].flatMap(([name, bucket]) => [
      [`x-ratelimit-limit-${name}`, String(bucket.capacity)],
      [`x-ratelimit-remaining-${name}`, String(Math.max(0, Math.floor(bucket.level(nowMs))))],
      [`x-ratelimit-reset-${name}`, seconds(bucket.delayMs(bucket.capacity, nowMs))],
    ]);
    return Object.fromEntries(entries);
  }
}

function check(
  name: Resource,
  need: { readonly bucket: TokenBucket; readonly amount: number; readonly nowMs: number },
): void {
  const { bucket, amount, nowMs } = need;
  const delayMs = bucket.delayMs(amount, nowMs);
  if (delayMs === 0) return;
  if (delayMs === Number.POSITIVE_INFINITY) {
    throw badRequest(
      `the request may need ${amount} ${name}; the key has ${bucket.capacity} a minute: lower max_tokens`,
      'max_tokens',
    );
  }
  const left = Math.max(0, Math.floor(bucket.level(nowMs)));
  throw new HttpError(
    429,
    `the rate limit of ${bucket.capacity} ${name} a minute is reached: ${amount} asked for, ${left} left; try again in ${seconds(delayMs)}`,
    { retryAfterMs: delayMs },
  );
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(3))}s`;
}
