import { HttpError } from '../http-error.ts';
import type { ApiKeys } from './api-keys.ts';
import { type MinuteLimits, RateLimits } from './rate-limits.ts';

/** Whom a request is served for. */
export interface Tenant {
  /** The name of the key; undefined where the gateway has no keys. */
  readonly name: string | undefined;
  readonly isAdmin: boolean;
  readonly limits: RateLimits;
}

/** A request without a key that opens the gateway. */
export class UnauthorizedError extends HttpError {
  constructor() {
    super(401, 'Unauthorized');
  }
}

const ANONYMOUS = '';

/** Says whom a request is for, by its key; without keys all share one tenant. */
export class AccessControl {
  readonly #keys: ApiKeys;
  readonly #defaults: () => MinuteLimits;
  readonly #nowMs: () => number;
  readonly #limits = new Map<string, RateLimits>();

  /** `defaults` are the limits of keys that have none of their own. */
  constructor(keys: ApiKeys, defaults: () => MinuteLimits, nowMs: () => number) {
    this.#keys = keys;
    this.#defaults = defaults;
    this.#nowMs = nowMs;
  }

  get hasKeys(): boolean {
    return !this.#keys.isEmpty;
  }

  /** Throws an UnauthorizedError where there are keys and the header has none of them. */
  admit(authorization: string | undefined): Tenant {
    if (this.#keys.isEmpty) {
      return { name: undefined, isAdmin: false, limits: this.#limitsOf(ANONYMOUS, undefined) };
    }
    const key = this.#keys.find(authorization);
    if (key === undefined) throw new UnauthorizedError();
    return { name: key.name, isAdmin: key.isAdmin, limits: this.#limitsOf(key.name, key) };
  }

  /** Begins all budgets anew, as the defaults now are. */
  resetLimits(): void {
    this.#limits.clear();
  }

  #limitsOf(name: string, own: MinuteLimits | undefined): RateLimits {
    const known = this.#limits.get(name);
    if (known !== undefined) return known;
    const defaults = this.#defaults();
    const limits = new RateLimits(
      {
        requestsPerMinute: own?.requestsPerMinute ?? defaults.requestsPerMinute,
        tokensPerMinute: own?.tokensPerMinute ?? defaults.tokensPerMinute,
      },
      this.#nowMs,
    );
    this.#limits.set(name, limits);
    return limits;
  }
}
