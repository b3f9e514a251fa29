import type { BlockHash } from './block-hash.ts';
import type { KvEvent } from './kv-events.ts';

type Growing<Event> = {
  -readonly [Field in keyof Event]: Event[Field] extends readonly (infer Item)[]
    ? Item[]
    : Event[Field];
};
type GrowingEvent = Growing<KvEvent>;

interface StoredBlock {
  readonly hash: BlockHash;
  /** Its own begin at `start`. */
  readonly tokens: readonly number[];
  readonly start: number;
}

/** Collects events; what happens to blocks that follow each other becomes one event. */
export class KvEventRecorder {
  readonly #blockSize: number;
  #events: GrowingEvent[] = [];

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
  }

  /** A block became known; `parentHash` is that of the block before it. */
  stored({ hash, tokens, start }: StoredBlock, parentHash: BlockHash | undefined): void {
    const end = start + this.#blockSize;
    const last = this.#events.at(-1);
    if (last?.kind === 'blockStored' && isEqual(last.hashes.at(-1), parentHash)) {
      last.hashes.push(hash);
      for (let i = start; i < end; i++) last.tokens.push(tokens[i]!);
      return;
    }
    this.#events.push({
      kind: 'blockStored',
      hashes: [hash],
      parentHash,
      tokens: tokens.slice(start, end),
      blockSize: this.#blockSize,
    });
  }

  removed(hash: BlockHash): void {
    const last = this.#events.at(-1);
    if (last?.kind === 'blockRemoved') last.hashes.push(hash);
    else this.#events.push({ kind: 'blockRemoved', hashes: [hash] });
  }

  cleared(): void {
    this.#events.push({ kind: 'allBlocksCleared' });
  }

  /** What was recorded since the last call, in order. */
  take(): readonly KvEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }
}

function isEqual(a: BlockHash | undefined, b: BlockHash | undefined): boolean {
  return a?.high === b?.high && a?.low === b?.low;
}
