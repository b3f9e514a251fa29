import type { BlockHash } from './block-hash.ts';

/**
 * What happens to the content of the prefix cache, for routers that send requests where their
 * prefix lies.
 */
export type KvEvent =
  | {
      readonly kind: 'blockStored';
      /** Of consecutive blocks, each the parent of the next. */
      readonly hashes: readonly BlockHash[];
      /** Undefined for the beginning of a sequence. */
      readonly parentHash: BlockHash | undefined;
      /** The tokens of all these blocks. */
      readonly tokens: readonly number[];
      /** Tokens in a block. */
      readonly blockSize: number;
    }
  | { readonly kind: 'blockRemoved'; readonly hashes: readonly BlockHash[] }
  | { readonly kind: 'allBlocksCleared' };
