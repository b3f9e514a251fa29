/** No block. */
export const NO_BLOCK = -1;

/**
 * Finds blocks by a word of their hash: chains of blocks whose words end in the same bits. Flat
 * arrays, because a map and its entries would burden the collector with every block that comes and goes.
 */
export class HashIndex {
  readonly #heads: Int32Array; // [a power of two, at least the number of blocks]
  readonly #next: Int32Array; // [blocks]

  constructor(blocks: number) {
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(blocks))).fill(NO_BLOCK);
    this.#next = new Int32Array(blocks);
  }

  /** The first block in the chain of a word, or `NO_BLOCK`. */
  first(word: number): number {
    return this.#heads[this.#bucket(word)]!;
  }

  /** The block after one in its chain, or `NO_BLOCK`. */
  after(block: number): number {
    return this.#next[block]!;
  }

  add(word: number, block: number): void {
    const bucket = this.#bucket(word);
    this.#next[block] = this.#heads[bucket]!;
    this.#heads[bucket] = block;
  }

  /** Takes a block out of the chain of a word; returns whether it was there. */
  remove(word: number, block: number): boolean {
    const bucket = this.#bucket(word);
    let before = this.#heads[bucket]!;
    if (before === block) {
      this.#heads[bucket] = this.#next[block]!;
      return true;
    }
    while (before !== NO_BLOCK && this.#next[before] !== block) before = this.#next[before]!;
    if (before === NO_BLOCK) return false;
    this.#next[before] = this.#next[block]!;
    return true;
  }

  clear(): void {
    this.#heads.fill(NO_BLOCK);
  }

  #bucket(word: number): number {
    return word & (this.#heads.length - 1);
  }
}
