import { assert, fail } from '../support/errors.ts';
import type { BlockHash } from './block-hash.ts';
import { BlockRings } from './block-rings.ts';
import { HashIndex, NO_BLOCK } from './hash-index.ts';
import { KvEventRecorder } from './kv-event-recorder.ts';
import type { KvEvent } from './kv-events.ts';

/** Which content to look for or to remember. */
export interface BlockKey {
  readonly hash: BlockHash;
  /** The block before it, whose content is known; `NO_BLOCK` for the first of a sequence. */
  readonly parent: number;
  readonly salt: string;
  /** Where the block's tokens lie. */
  readonly tokens: readonly number[];
  readonly start: number;
}

/** The number of what a block holds, where it holds nothing that is known. */
const NO_CONTENT = 0;

/**
 * The content of full blocks, in use or free, found by hash. A hit is exact: the tokens are
 * compared, and the block before must hold the very content that was found before it. Flat arrays,
 * because objects for all that comes and goes would burden the collector.
 */
export class PrefixCache {
  readonly #blockSize: number;
  /** Numbers of contents: never used again, so that nothing is found after what it did not follow. */
  readonly #contents: Float64Array; // [kvBlocks]
  /** Content of the block before each. */
  readonly #origins: Float64Array; // [kvBlocks]
  /** Of first blocks; what follows them is told apart by its origin. */
  readonly #salts: string[]; // [kvBlocks]
  readonly #tokens: Uint32Array; // [kvBlocks, blockSize]
  readonly #hashes: Int32Array; // [kvBlocks, 2]
  /** One block of each content. */
  readonly #index: HashIndex;
  /** Blocks of equal content: a second copy may have been computed before the first was known. */
  readonly #copies: BlockRings;
  readonly #events: KvEventRecorder;
  #lastContent = NO_CONTENT;

  constructor({ kvBlocks, blockSize }: { readonly kvBlocks: number; readonly blockSize: number }) {
    this.#blockSize = blockSize;
    this.#contents = new Float64Array(kvBlocks);
    this.#origins = new Float64Array(kvBlocks);
    this.#salts = new Array<string>(kvBlocks).fill('');
    this.#tokens = new Uint32Array(kvBlocks * blockSize);
    this.#hashes = new Int32Array(2 * kvBlocks);
    this.#index = new HashIndex(kvBlocks);
    this.#copies = new BlockRings(kvBlocks);
    this.#events = new KvEventRecorder(blockSize);
  }

  /** Whether it is known what a block holds. */
  has(block: number): boolean {
    return this.#contents[block] !== NO_CONTENT;
  }

  /** A block that holds what is looked for, or `NO_BLOCK`. */
  find(key: BlockKey): number {
    let block = this.#index.first(key.hash.low);
    while (block !== NO_BLOCK && !this.#matches(block, key)) block = this.#index.after(block);
    return block;
  }

  /** Remembers what a block holds from now on. */
  store(block: number, key: BlockKey): void {
    if (this.has(block)) fail(`block ${block} holds nothing else`);
    const same = this.find(key);
    this.#write(block, key);
    if (same === NO_BLOCK) {
      this.#contents[block] = ++this.#lastContent;
      this.#index.add(key.hash.low, block);
      this.#events.stored(key, key.parent === NO_BLOCK ? undefined : this.#hashOf(key.parent));
    } else {
      this.#contents[block] = this.#contents[same]!;
      this.#copies.join(block, same);
    }
  }

  /** Forgets what a block holds, because it will hold something else. */
  evict(block: number): void {
    if (!this.has(block)) return;
    this.#contents[block] = NO_CONTENT;
    const hash = this.#hashOf(block);
    const wasFound = this.#index.remove(hash.low, block);
    const copy = this.#copies.after(block);
    if (copy === block) {
      this.#events.removed(hash);
      return;
    }
    this.#copies.leave(block);
    if (wasFound) this.#index.add(hash.low, copy);
  }

  /** Forgets everything. */
  clear(): void {
    this.#contents.fill(NO_CONTENT);
    this.#index.clear();
    this.#copies.clear();
    this.#events.cleared();
  }

  /** What has happened since the last call, in order. */
  takeEvents(): readonly KvEvent[] {
    return this.#events.take();
  }

  checkIntegrity(): void {
    for (const [block, content] of this.#contents.entries()) {
      const copy = this.#copies.after(block);
      assert(this.#contents[copy] === content || copy === block, 'copies hold the same');
      if (content === NO_CONTENT) continue;
      const { low } = this.#hashOf(block);
      let found = 0;
      for (
        let other = this.#index.first(low);
        other !== NO_BLOCK;
        other = this.#index.after(other)
      ) {
        if (this.#contents[other] === content) found++;
      }
      assert(found === 1, 'every content is found, by one of its blocks');
    }
  }

  #matches(block: number, { hash, parent, salt, tokens, start }: BlockKey): boolean {
    if (this.#hashes[2 * block] !== hash.high || this.#hashes[2 * block + 1] !== hash.low)
      return false;
    if (this.#origins[block] !== this.#originAfter(parent)) return false;
    if (parent === NO_BLOCK && this.#salts[block] !== salt) return false;
    const first = block * this.#blockSize;
    for (let i = 0; i < this.#blockSize; i++) {
      if (this.#tokens[first + i] !== tokens[start + i]) return false;
    }
    return true;
  }

  #write(block: number, { hash, parent, salt, tokens, start }: BlockKey): void {
    this.#hashes[2 * block] = hash.high;
    this.#hashes[2 * block + 1] = hash.low;
    this.#origins[block] = this.#originAfter(parent);
    if (parent === NO_BLOCK) this.#salts[block] = salt;
    const first = block * this.#blockSize;
    for (let i = 0; i < this.#blockSize; i++) this.#tokens[first + i] = tokens[start + i]!;
  }

  #originAfter(parent: number): number {
    return parent === NO_BLOCK ? NO_CONTENT : this.#contents[parent]!;
  }

  #hashOf(block: number): BlockHash {
    return { high: this.#hashes[2 * block]!, low: this.#hashes[2 * block + 1]! };
  }
}
