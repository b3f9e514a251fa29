import { HashChain } from './hash-chain.ts';

/** Where one sequence's keys and values lie. */
export interface BlockTable {
  /** Tables share content only with those of the same salt. */
  readonly salt: string;
  /** Blocks in the order of the tokens; grows at its end only, until it is released. */
  readonly blocks: number[];
  /** Of the sequence's tokens; outlasts the blocks. */
  readonly hashes: HashChain;
  /** How many of `blocks`, from the first on, the prefix cache knows the content of. */
  knownBlocks: number;
  /** Tokens that `blocks` hold. */
  capacity: number;
}

export function emptyBlockTable(salt: string): BlockTable {
  return { salt, blocks: [], hashes: new HashChain(salt), knownBlocks: 0, capacity: 0 };
}
