/**
 * Hands out addresses in a chip's memory, one after the other, each divisible by 64 (a cache line).
 */
export class Arena {
  #end: number;

  constructor(base: number) {
    this.#end = base;
  }

  /** The first address that nothing occupies. */
  get end(): number {
    return this.#end;
  }

  reserve(bytes: number): number {
    const address = this.#end;
    this.#end = Math.ceil((address + bytes) / 64) * 64;
    return address;
  }

  floats(count: number): number {
    return this.reserve(4 * count);
  }

  integers(count: number): number {
    return this.reserve(4 * count);
  }
}
