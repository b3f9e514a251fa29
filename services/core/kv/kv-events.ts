import { type BlockHash, hashText } from './block-hash.ts';

/**
 * What happens to the content of the prefix cache, for routers that send requests where their
 * prefix lies. Hashes are chained: each stands for the tokens of its block and of all before it.
 */
export type KvEvent<Hash = BlockHash> =
  | {
      readonly kind: 'blockStored';
      /** Of consecutive blocks, each the parent of the next. */
      readonly hashes: readonly Hash[];
      /** Undefined for the beginning of a sequence. */
      readonly parentHash: Hash | undefined;
      /** The tokens of all these blocks. */
      readonly tokens: readonly number[];
      /** Tokens in a block. */
      readonly blockSize: number;
    }
  | { readonly kind: 'blockRemoved'; readonly hashes: readonly Hash[] }
  | { readonly kind: 'allBlocksCleared' };

/** The event with its hashes as text, as those outside know them. */
export function toTextEvent(event: KvEvent): KvEvent<string> {
  if (event.kind === 'allBlocksCleared') return event;
  const hashes = event.hashes.map(hashText);
  if (event.kind === 'blockRemoved') return { ...event, hashes };
  return { ...event, hashes, parentHash: event.parentHash && hashText(event.parentHash) };
}
