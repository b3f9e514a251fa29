/**
 * A change of what the prefix cache holds. Hashes are hexadecimal, chained: each stands for the
 * tokens of its block and of all blocks before it.
 */
export type KvEvent =
  | {
      readonly kind: 'blockStored';
      /** Of consecutive full blocks. */
      readonly hashes: readonly string[];
      /** Of the block before the first; undefined at the beginning of a prompt. */
      readonly parentHash: string | undefined;
      /** Of all the blocks, `blockSize` each. */
      readonly tokens: readonly number[];
      readonly blockSize: number;
    }
  | { readonly kind: 'blockRemoved'; readonly hashes: readonly string[] }
  | { readonly kind: 'allBlocksCleared' };
