import type { BlockHash } from './block-hash.ts';

/**
 * The hashes of one sequence's full blocks, as far as they have been needed: each stands for the
 * tokens of its block and of all before it, and for the salt.
 */
export class HashChain {
  /** A high and a low word for the salt, then for each block. */
  readonly #words: number[]; // [2 × (length + 1)]

  constructor(salt: string) {
    this.#words = rootWords(salt);
  }

  /** Blocks whose hashes are known. */
  get length(): number {
    return this.#words.length / 2 - 1;
  }

  /** The hash of a block; −1 is the salt alone. */
  at(block: number): BlockHash {
    return { high: this.#words[2 * block + 2]!, low: this.#words[2 * block + 3]! };
  }

  /** Adds the hash of the next block, which holds tokens [start, end). */
  append(tokens: readonly number[], start: number, end: number): void {
    let low = this.#words.at(-1)!;
    let high = this.#words.at(-2)!;
    // Two words that do not wait for each other, each one to one in every token.
    for (let i = start; i < end; i++) {
      const token = tokens[i]!;
      high = Math.imul(high ^ token, 0x9e3779b1);
      high ^= high >>> 15;
      low = Math.imul(low + token, 0x85ebca6b);
      low ^= low >>> 13;
    }
    high = mix(high ^ ((low << 16) | (low >>> 16)));
    this.#words.push(high, mix(low + high));
  }
}

function rootWords(salt: string): number[] {
  let high = 0x243f6a88;
  let low = 0x85a308d3 | 0;
  for (let i = 0; i < salt.length; i++) {
    high = mix(high ^ salt.charCodeAt(i));
    low = mix(low + high);
  }
  return [high, low];
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain). */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
