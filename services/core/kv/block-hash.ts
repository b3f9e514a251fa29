/** 64 bits that stand for a block's tokens and everything before them: two words of 32. */
export interface BlockHash {
  readonly high: number;
  readonly low: number;
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
