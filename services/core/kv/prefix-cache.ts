import { assert } from '../support/errors.ts';
import type { BlockHash } from './block-hash.ts';
import { KvEventRecorder } from './kv-event-recorder.ts';
import type { KvEvent } from './kv-events.ts';

/** What full blocks hold: their tokens after everything before them. */
export interface BlockContent {
  readonly hash: BlockHash;
  /** The block before it, or for the first of a sequence its salt. */
  readonly origin: BlockContent | string;
  /** The blocks that hold it: a second copy may have been computed before the first was known. */
  readonly blocks: number[];
  /** Other content whose hash has the same key in the map. */
  sibling: BlockContent | undefined;
}

/** Which content to look for or to remember. */
export interface BlockKey {
  readonly hash: BlockHash;
  readonly origin: BlockContent | string;
  /** Where the block's tokens lie. */
  readonly tokens: readonly number[];
  readonly start: number;
}

/**
 * The content of full blocks, in use or free, found by hash. A hit is exact: the tokens are
 * compared, and the block before must be the very content that was found before it.
 */
export class PrefixCache {
  readonly #blockSize: number;
  readonly #byHash = new Map<number, BlockContent>();
  readonly #byBlock: (BlockContent | undefined)[]; // [kvBlocks]
  /** The tokens of each block. One array: an object for every block would burden the collector. */
  readonly #tokens: Uint32Array; // [kvBlocks, blockSize]
  readonly #events: KvEventRecorder;

  constructor({ kvBlocks, blockSize }: { readonly kvBlocks: number; readonly blockSize: number }) {
    this.#blockSize = blockSize;
    this.#byBlock = new Array<undefined>(kvBlocks).fill(undefined);
    this.#tokens = new Uint32Array(kvBlocks * blockSize);
    this.#events = new KvEventRecorder(blockSize);
  }

  find(key: BlockKey): BlockContent | undefined {
    let content = this.#byHash.get(mapKey(key.hash));
    while (content !== undefined && !this.#matches(content, key)) content = content.sibling;
    return content;
  }

  /** Remembers what a block holds from now on. */
  store(block: number, key: BlockKey): BlockContent {
    assert(this.#byBlock[block] === undefined, `block ${block} holds nothing else`);
    let content = this.find(key);
    if (content === undefined) content = this.#create(block, key);
    else content.blocks.push(block);
    this.#byBlock[block] = content;
    const { tokens, start } = key;
    const first = block * this.#blockSize;
    for (let i = 0; i < this.#blockSize; i++) this.#tokens[first + i] = tokens[start + i]!;
    return content;
  }

  /** Forgets what a block holds, because it will hold something else. */
  evict(block: number): void {
    const content = this.#byBlock[block];
    if (content === undefined) return;
    this.#byBlock[block] = undefined;
    if (content.blocks.length > 1) {
      content.blocks.splice(content.blocks.indexOf(block), 1);
      return;
    }
    this.#unlink(content);
    this.#events.removed(content.hash);
  }

  /** Forgets everything. */
  clear(): void {
    this.#byHash.clear();
    this.#byBlock.fill(undefined);
    this.#events.cleared();
  }

  /** What has happened since the last call, in order. */
  takeEvents(): readonly KvEvent[] {
    return this.#events.take();
  }

  #matches(content: BlockContent, { hash, origin, tokens, start }: BlockKey): boolean {
    if (content.origin !== origin) return false;
    if (content.hash.high !== hash.high || content.hash.low !== hash.low) return false;
    const first = content.blocks[0]! * this.#blockSize;
    for (let i = 0; i < this.#blockSize; i++) {
      if (this.#tokens[first + i] !== tokens[start + i]) return false;
    }
    return true;
  }

  #create(block: number, { hash, origin, tokens, start }: BlockKey): BlockContent {
    const key = mapKey(hash);
    const content = { hash, origin, blocks: [block], sibling: this.#byHash.get(key) };
    this.#byHash.set(key, content);
    this.#events.stored({
      hash,
      parentHash: typeof origin === 'string' ? undefined : origin.hash,
      tokens,
      start,
    });
    return content;
  }

  #unlink(content: BlockContent): void {
    const key = mapKey(content.hash);
    const first = this.#byHash.get(key)!;
    if (first === content) {
      if (content.sibling === undefined) this.#byHash.delete(key);
      else this.#byHash.set(key, content.sibling);
      return;
    }
    let before = first;
    while (before.sibling !== content) before = before.sibling!;
    before.sibling = content.sibling;
  }
}

/** Few enough bits for a small integer, which a Map finds several times as fast as a double. */
function mapKey({ high, low }: BlockHash): number {
  return (high ^ low) & 0x3fffffff;
}
