import { assert } from '../support/errors.ts';
import { BlockPool } from './block-pool.ts';
import type { BlockTable } from './block-table.ts';
import { NO_BLOCK } from './hash-index.ts';
import type { KvEvent } from './kv-events.ts';
import { type BlockKey, PrefixCache } from './prefix-cache.ts';

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
  readonly #cache: PrefixCache | undefined;

  constructor(options: KvCacheOptions) {
    this.#options = options;
    this.#pool = new BlockPool(options.kvBlocks);
    this.#cache = options.enablePrefixCaching ? new PrefixCache(options) : undefined;
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
  findPrefix(table: BlockTable, tokens: readonly number[]): readonly number[] {
    const found: number[] = [];
    if (this.#cache === undefined) return found;
    const limit = Math.floor((tokens.length - 1) / this.#options.blockSize);
    while (found.length < limit) {
      const block = this.#cache.find(this.#keyOf(table, tokens, found, found.length));
      if (block === NO_BLOCK) break;
      found.push(block);
    }
    return found;
  }

  /** Free blocks that a new table takes which begins with `prefix` and holds `tokens` tokens. */
  demandOf(prefix: readonly number[], tokens: number): number {
    let idle = 0;
    for (const block of prefix) if (this.#pool.isFree(block)) idle++;
    return idle + this.blocksFor(tokens) - prefix.length;
  }

  /** Lets an empty table begin with what `findPrefix` has found. */
  sharePrefix(table: BlockTable, prefix: readonly number[]): void {
    assert(table.blocks.length === 0, 'only an empty table takes a prefix');
    for (const block of prefix) {
      this.#pool.share(block);
      table.blocks.push(block);
    }
    table.knownBlocks = prefix.length;
    table.capacity = prefix.length * this.#options.blockSize;
  }

  /**
   * Makes a table hold `tokens` tokens; returns the blocks that it gains, or undefined, and leaves it
   * as it is, where too few are free.
   */
  grow(table: BlockTable, tokens: number): readonly number[] | undefined {
    if (tokens <= table.capacity) return NO_BLOCKS;
    const missing = this.blocksFor(tokens) - table.blocks.length;
    if (missing > this.#pool.freeBlocks) return undefined;
    const gained: number[] = [];
    for (let i = 0; i < missing; i++) {
      const block = this.#allocate();
      gained.push(block);
      table.blocks.push(block);
    }
    table.capacity += missing * this.#options.blockSize;
    return gained;
  }

  /** Lets others find the full blocks among the first `computed` tokens of a sequence. */
  remember(table: BlockTable, tokens: readonly number[], computed: number): void {
    if (this.#cache === undefined) return;
    while ((table.knownBlocks + 1) * this.#options.blockSize <= computed) {
      const index = table.knownBlocks;
      this.#cache.store(table.blocks[index]!, this.#keyOf(table, tokens, table.blocks, index));
      table.knownBlocks++;
    }
  }

  /**
   * Takes a table's blocks back, the last first, so that the beginning of a sequence is reused
   * last.
   */
  release(table: BlockTable): void {
    for (let block = table.blocks.pop(); block !== undefined; block = table.blocks.pop()) {
      this.#pool.release(block);
    }
    table.knownBlocks = 0;
    table.capacity = 0;
  }

  /** Forgets all content, for chips that lost their memory. No table may hold a block. */
  clearCache(): void {
    assert(this.#pool.usedBlocks === 0, 'no block is in use when all content is forgotten');
    this.#cache?.clear();
  }

  /** What has happened to the content since the last call. */
  takeEvents(): readonly KvEvent[] {
    return this.#cache?.takeEvents() ?? [];
  }

  checkIntegrity(tables: readonly BlockTable[]): void {
    this.#pool.checkIntegrity(tables.map(({ blocks }) => blocks));
    this.#cache?.checkIntegrity();
    for (const { blocks, capacity, knownBlocks } of tables) {
      assert(capacity === blocks.length * this.blockSize, 'a table knows how much it holds');
      assert(knownBlocks <= blocks.length, 'content is known of a table’s own blocks');
      const isKnown = blocks.slice(0, knownBlocks).every((block) => this.#cache?.has(block));
      assert(isKnown, 'what a table knows the content of holds some');
    }
  }

  #allocate(): number {
    const block = this.#pool.allocate();
    this.#cache?.evict(block);
    return block;
  }

  /** The key of block `index` of a sequence, which comes after the blocks `before`. */
  #keyOf(
    { hashes, salt }: BlockTable,
    tokens: readonly number[],
    before: readonly number[],
    index: number,
  ): BlockKey {
    const { blockSize } = this.#options;
    const start = index * blockSize;
    if (hashes.length === index) hashes.append(tokens, start, start + blockSize);
    const parent = index === 0 ? NO_BLOCK : before[index - 1]!;
    return { hash: hashes.at(index), parent, salt, tokens, start };
  }
}

const NO_BLOCKS: readonly number[] = [];
