/** Rings of blocks that hold the same; a block that is like no other is a ring of its own. */
export class BlockRings {
  readonly #next: Int32Array; // [blocks]
  readonly #previous: Int32Array; // [blocks]

  constructor(blocks: number) {
    this.#next = new Int32Array(blocks);
    this.#previous = new Int32Array(blocks);
    this.clear();
  }

  /** The block after one in its ring: itself where it is alone. */
  after(block: number): number {
    return this.#next[block]!;
  }

  /** Adds a block that is alone to the ring of another, as the last after that one. */
  join(block: number, first: number): void {
    const last = this.#previous[first]!;
    this.#link(last, block);
    this.#link(block, first);
  }

  /** Leaves a block alone. */
  leave(block: number): void {
    this.#link(this.#previous[block]!, this.#next[block]!);
    this.#link(block, block);
  }

  /** Leaves all blocks alone. */
  clear(): void {
    for (let block = 0; block < this.#next.length; block++) this.#link(block, block);
  }

  #link(from: number, to: number): void {
    this.#next[from] = to;
    this.#previous[to] = from;
  }
}
