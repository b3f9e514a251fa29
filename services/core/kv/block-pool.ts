import { assert, fail } from '../support/errors.ts';
import { FreeList } from './free-list.ts';

/**
 * The KV blocks of a group, 0 … total−1, each held by some tables or free. Free blocks are taken
 * oldest first, so that their content stays of use as long as it can.
 */
export class BlockPool {
  readonly total: number;
  /** How many tables hold each block. */
  readonly #references: Uint32Array; // [total]
  readonly #free: FreeList;

  constructor(total: number) {
    assert(Number.isInteger(total) && total > 0, `a pool of ${total} blocks`);
    this.total = total;
    this.#references = new Uint32Array(total);
    this.#free = new FreeList(total);
  }

  get freeBlocks(): number {
    return this.#free.count;
  }

  get usedBlocks(): number {
    return this.total - this.#free.count;
  }

  isFree(block: number): boolean {
    return this.#free.has(block);
  }

  /** Takes the free block that was given back longest ago; there must be one. */
  allocate(): number {
    const block = this.#free.shift();
    this.#references[block] = 1;
    return block;
  }

  /** Holds a block once more, be it in use or free. */
  share(block: number): void {
    if (this.#references[block]!++ === 0) this.#free.remove(block);
  }

  /** Lets go of a block; the last table that does makes it free. */
  release(block: number): void {
    if (this.#references[block] === 0) fail(`block ${block} is in use when it is freed`);
    if (--this.#references[block]! === 0) this.#free.push(block);
  }

  /** Checks the counts against the tables that hold the blocks. */
  checkIntegrity(tables: Iterable<readonly number[]>): void {
    const references = new Uint32Array(this.total);
    for (const table of tables) for (const block of table) references[block]!++;
    const used = references.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    assert(used === this.usedBlocks, 'free + used blocks = total');
    for (let block = 0; block < this.total; block++) {
      assert(references[block] === this.#references[block], `references of block ${block} match`);
      assert(this.isFree(block) === (references[block] === 0), `block ${block} is free or held`);
    }
  }
}
