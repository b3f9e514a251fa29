import { assert, fail } from '../support/errors.ts';

/** The members of 0 … size−1 that are free, oldest first; every operation takes constant time. */
export class FreeList {
  /** One more than the members: the last is both ends of the chain. */
  readonly #next: Int32Array; // [size + 1]
  readonly #previous: Int32Array; // [size + 1]; −1 where the member is not free
  readonly #ends: number;
  #count = 0;

  /** All members are free, in ascending order. */
  constructor(size: number) {
    this.#ends = size;
    this.#next = new Int32Array(size + 1);
    this.#previous = new Int32Array(size + 1).fill(-1);
    this.#next[size] = size;
    this.#previous[size] = size;
    for (let member = 0; member < size; member++) this.push(member);
  }

  get count(): number {
    return this.#count;
  }

  has(member: number): boolean {
    return this.#previous[member] !== -1;
  }

  /** Adds a member as the youngest. */
  push(member: number): void {
    if (this.has(member)) fail(`block ${member} is in use when it is freed`);
    const youngest = this.#previous[this.#ends]!;
    this.#link(youngest, member);
    this.#link(member, this.#ends);
    this.#count++;
  }

  /** Takes the oldest member out; there must be one. */
  shift(): number {
    assert(this.#count > 0, 'a block is free');
    const oldest = this.#next[this.#ends]!;
    this.remove(oldest);
    return oldest;
  }

  remove(member: number): void {
    if (!this.has(member)) fail(`block ${member} is free when it is taken`);
    this.#link(this.#previous[member]!, this.#next[member]!);
    this.#previous[member] = -1;
    this.#count--;
  }

  #link(from: number, to: number): void {
    this.#next[from] = to;
    this.#previous[to] = from;
  }
}
