/** 64 bits that stand for a block's tokens and everything before them. */
export interface BlockHash {
  readonly high: number;
  readonly low: number;
}

/** The hash that chains of one salt begin with. */
export function rootHash(salt: string): BlockHash {
  let high = 0x243f6a88;
  let low = 0x85a308d3;
  for (let i = 0; i < salt.length; i++) {
    high = mix(high ^ salt.charCodeAt(i));
    low = mix(low + high);
  }
  return { high, low };
}

/** The hash of tokens [start, end) after a block with the hash `parent`. */
export function hashBlock(
  parent: BlockHash,
  tokens: readonly number[],
  range: { readonly start: number; readonly end: number },
): BlockHash {
  let { high, low } = parent;
  for (let i = range.start; i < range.end; i++) {
    high = mix(high ^ tokens[i]!);
    low = mix(low + high);
  }
  return { high, low };
}

/** A hash as 16 hexadecimal digits. */
export function hashText({ high, low }: BlockHash): string {
  return wordText(high) + wordText(low);
}

/** Looked up: `toString(16)` would cost more than the rest of remembering a block. */
function wordText(word: number): string {
  return (
    BYTES[word >>> 24]! +
    BYTES[(word >>> 16) & 255]! +
    BYTES[(word >>> 8) & 255]! +
    BYTES[word & 255]!
  );
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')); // [256]

/** The finaliser of MurmurHash3 (Austin Appleby, public domain), over a product. */
function mix(value: number): number {
  let hash = Math.imul(value, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
