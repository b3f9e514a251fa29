import { assert } from '../support/errors.ts';
import { hashBlock, rootHash } from './block-hash.ts';
import { BlockPool } from './block-pool.ts';
import type { BlockTable } from './block-table.ts';
import type { KvEvent } from './kv-events.ts';
import { type BlockContent, type BlockKey, PrefixCache } from './prefix-cache.ts';

export interface KvCacheOptions {
  readonly kvBlocks: number;
  /** Tokens in a block. */
  readonly blockSize: number;
  /** Whether blocks of the same content are shared. */
  readonly enablePrefixCaching: boolean;
}

/** Gives sequences their blocks, and lets them share what begins alike. */
export class KvCacheManager {
  readonly #options: KvCacheOptions;
  readonly #pool: BlockPool;
  readonly #cache: PrefixCache;

  constructor(options: KvCacheOptions) {
    this.#options = options;
    this.#pool = new BlockPool(options.kvBlocks);
    this.#cache = new PrefixCache(options);
  }

  /** Tokens in a block. */
  get blockSize(): number {
    return this.#options.blockSize;
  }

  get totalBlocks(): number {
    return this.#pool.total;
  }

  get usedBlocks(): number {
    return this.#pool.usedBlocks;
  }

  get freeBlocks(): number {
    return this.#pool.freeBlocks;
  }

  /** Blocks that hold `tokens` tokens. */
  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.#options.blockSize);
  }

  /**
   * The cached blocks that a sequence's tokens begin with, at most so many that one token is left
   * to compute: something must be sampled from.
   */
  findPrefix(table: BlockTable, tokens: readonly number[]): readonly BlockContent[] {
    const found: BlockContent[] = [];
    if (!this.#options.enablePrefixCaching) return found;
    const limit = Math.floor((tokens.length - 1) / this.#options.blockSize);
    while (found.length < limit) {
      const content = this.#cache.find(this.#keyOf(table, tokens, found));
      if (content === undefined) break;
      found.push(content);
    }
    return found;
  }

  /** Free blocks that a new table takes which begins with `prefix` and holds `tokens` tokens. */
  demandOf(prefix: readonly BlockContent[], tokens: number): number {
    const idle = prefix.filter(({ blocks }) => this.#pool.isFree(blocks[0]!)).length;
    return idle + this.blocksFor(tokens) - prefix.length;
  }

  /** Lets an empty table begin with what `findPrefix` has found. */
  sharePrefix(table: BlockTable, prefix: readonly BlockContent[]): void {
    assert(table.blocks.length === 0, 'only an empty table takes a prefix');
    for (const content of prefix) {
      const block = content.blocks[0]!;
      this.#pool.share(block);
      table.blocks.push(block);
      table.contents.push(content);
    }
  }

  /** Whether a table can grow to hold `tokens` tokens. */
  canGrow(table: BlockTable, tokens: number): boolean {
    return this.blocksFor(tokens) - table.blocks.length <= this.#pool.freeBlocks;
  }

  /** Makes a table hold `tokens` tokens; returns the blocks that it gains. */
  grow(table: BlockTable, tokens: number): readonly number[] {
    const missing = this.blocksFor(tokens) - table.blocks.length;
    if (missing <= 0) return NO_BLOCKS;
    const gained: number[] = [];
    for (let i = 0; i < missing; i++) {
      const block = this.#allocate();
      gained.push(block);
      table.blocks.push(block);
    }
    return gained;
  }

  /** Lets others find the full blocks among the first `computed` tokens of a sequence. */
  remember(table: BlockTable, tokens: readonly number[], computed: number): void {
    if (!this.#options.enablePrefixCaching) return;
    const full = Math.floor(computed / this.#options.blockSize);
    while (table.contents.length < full) {
      const block = table.blocks[table.contents.length]!;
      table.contents.push(this.#cache.store(block, this.#keyOf(table, tokens, table.contents)));
    }
  }

  /**
   * Takes a table's blocks back, the last first, so that the beginning of a sequence is reused
   * last.
   */
  release(table: BlockTable): void {
    for (let index = table.blocks.length - 1; index >= 0; index--) {
      this.#pool.release(table.blocks[index]!);
    }
    table.blocks.length = 0;
    table.contents.length = 0;
  }

  /** Forgets all content, for chips that lost their memory. No table may hold a block. */
  clearCache(): void {
    assert(this.#pool.usedBlocks === 0, 'no block is in use when all content is forgotten');
    this.#cache.clear();
  }

  /** What has happened to the content since the last call. */
  takeEvents(): readonly KvEvent[] {
    return this.#cache.takeEvents();
  }

  checkIntegrity(tables: readonly BlockTable[]): void {
    this.#pool.checkIntegrity(tables.map(({ blocks }) => blocks));
    for (const { blocks, contents } of tables) {
      assert(contents.length <= blocks.length, 'content is known of a table’s own blocks');
      for (const [index, content] of contents.entries()) {
        assert(content.blocks.includes(blocks[index]!), 'a block holds what its table says');
      }
    }
  }

  #allocate(): number {
    const block = this.#pool.allocate();
    this.#cache.evict(block);
    return block;
  }

  /** The key of the block behind `before`. */
  #keyOf(table: BlockTable, tokens: readonly number[], before: readonly BlockContent[]): BlockKey {
    const index = before.length;
    const { blockSize } = this.#options;
    const start = index * blockSize;
    const parent = table.hashes[index - 1] ?? rootHash(table.salt);
    table.hashes[index] ??= hashBlock(parent, tokens, { start, end: start + blockSize });
    return { hash: table.hashes[index], origin: before[index - 1] ?? table.salt, tokens, start };
  }
}

const NO_BLOCKS: readonly number[] = [];
