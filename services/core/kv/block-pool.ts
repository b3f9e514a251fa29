import { assert } from '../support/errors.ts';

/** The KV blocks of a group: ids 0 … total−1, each free or in exactly one table. */
export class BlockPool {
  readonly total: number;
  readonly #free: number[];
  readonly #used = new Set<number>();

  constructor(total: number) {
    assert(Number.isInteger(total) && total > 0, `a pool of ${total} blocks`);
    this.total = total;
    this.#free = Array.from({ length: total }, (_, index) => total - 1 - index);
  }

  get freeBlocks(): number {
    return this.#free.length;
  }

  canAllocate(count: number): boolean {
    return count <= this.#free.length;
  }

  allocate(count: number): number[] {
    assert(this.canAllocate(count), `${count} blocks of ${this.#free.length} free ones`);
    const blocks = this.#free.splice(this.#free.length - count, count).reverse();
    for (const block of blocks) this.#used.add(block);
    return blocks;
  }

  /**
   * Returns a table's blocks, the last first, so that the beginning of a sequence is reused last.
   */
  free(blocks: readonly number[]): void {
    for (const block of [...blocks].reverse()) {
      assert(this.#used.delete(block), `block ${block} is in use when it is freed`);
      this.#free.push(block);
    }
  }

  checkIntegrity(): void {
    assert(this.#free.length + this.#used.size === this.total, 'free + used blocks = total');
  }
}
