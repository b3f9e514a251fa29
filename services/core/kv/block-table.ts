import type { BlockHash } from './block-hash.ts';
import type { BlockContent } from './prefix-cache.ts';

/** Where one sequence's keys and values lie. */
export interface BlockTable {
  /** Tables share content only with those of the same salt. */
  readonly salt: string;
  /** Blocks in the order of the tokens; grows at its end only, until it is released. */
  readonly blocks: number[];
  /** Hashes of the sequence's full blocks, as far as they have been needed. */
  readonly hashes: BlockHash[];
  /** What the first of `blocks` hold, as far as the prefix cache knows it. */
  readonly contents: BlockContent[];
}

export function emptyBlockTable(salt: string): BlockTable {
  return { salt, blocks: [], hashes: [], contents: [] };
}
