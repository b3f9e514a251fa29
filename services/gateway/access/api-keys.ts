import { createHash, timingSafeEqual } from 'node:crypto';
import type { MinuteLimits } from './rate-limits.ts';

/** Whom a key belongs to and what it allows; the key itself is known by its digest alone. */
export interface ApiKey extends MinuteLimits {
  readonly name: string;
  /** SHA-256, 32 bytes. */
  readonly digest: Uint8Array;
  /** Whether it may change the gateway's configuration. */
  readonly isAdmin: boolean;
}

/** The keys that open a gateway. */
export class ApiKeys {
  readonly #keys: readonly ApiKey[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys;
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** The key of an `Authorization` header; takes the same time whichever it is, if any. */
  find(authorization: string | undefined): ApiKey | undefined {
    const token = /^bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const digest = sha256(token);
    let found: ApiKey | undefined;
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) found = key;
    return found;
  }
}

export function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
