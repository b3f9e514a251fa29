import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Kernels } from '../../services/kernels/kernels.ts';
import { createReferenceKernels } from '../../services/kernels/reference.ts';
import { createKernelMemory, createWasmKernels, MEMORY_BASE } from '../../services/kernels/wasm.ts';

const SIZE_BYTES = 8 << 20;

/** One memory with both implementations and a bump allocator that each case resets. */
export class Bench {
  readonly memory = createKernelMemory(SIZE_BYTES, { shared: true });
  readonly wasm: Kernels = createWasmKernels(this.memory);
  readonly reference: Kernels = createReferenceKernels(this.memory.buffer);
  readonly bytes = this.memory.buffer;
  #end = MEMORY_BASE;

  reset(): void {
    this.#end = MEMORY_BASE;
  }

  reserve(bytes: number): number {
    const address = this.#end;
    this.#end += Math.ceil(bytes / 16) * 16;
    assert.ok(this.#end <= SIZE_BYTES, 'the case is larger than the test memory');
    return address;
  }

  floats(values: ArrayLike<number>): number {
    const address = this.reserve(4 * values.length);
    this.view(address, values.length).set(values);
    return address;
  }

  integers(values: ArrayLike<number>): number {
    const address = this.reserve(4 * values.length);
    new Int32Array(this.bytes, address, values.length).set(values);
    return address;
  }

  view(address: number, count: number): Float32Array {
    return new Float32Array(this.bytes, address, count);
  }

  /** A marked area, so that a kernel that writes too much or too little differs from the other. */
  area(count: number): number {
    const address = this.reserve(4 * count);
    this.view(address, count).fill(-12345);
    return address;
  }
}

/** Runs a kernel in both implementations over the same area and asserts that every bit of it is the same. */
export function assertSameBits(
  bench: Bench,
  area: { readonly address: number; readonly count: number },
  run: (kernels: Kernels) => void,
): Float32Array {
  const view = bench.view(area.address, area.count);
  const before = view.slice();
  run(bench.reference);
  const expected = view.slice();
  view.set(before);
  run(bench.wasm);
  assertEqualBits(view, expected);
  return expected;
}

/** NaN equals NaN whatever its payload; zeros differ by sign. */
export function assertEqualBits(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    if (!Object.is(actual[i], expected[i])) {
      assert.fail(`element ${i} of ${actual.length} is ${actual[i]}, not ${expected[i]}`);
    }
  }
}

/** How wild the floats of a case are. */
export type Wildness = 'tame' | 'wide' | 'raw';

export const wildness: fc.Arbitrary<Wildness> = fc.constantFrom('tame', 'wide', 'raw');
export const seed: fc.Arbitrary<number> = fc.integer();

/** f32 values from a seed: about ±1; exponents from 2^-70 to 2^60 and exact zeros; or any bits except NaN. */
export function randomFloats(
  count: number,
  source: { readonly seed: number; readonly wildness: Wildness },
): Float32Array {
  const next = randomWords(source.seed);
  const values = new Float32Array(count);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < count; i++) {
    const word = next();
    if (source.wildness === 'tame') values[i] = (word / 2 ** 31 - 1) * 1.5;
    else if (source.wildness === 'raw') words[i] = word;
    else
      values[i] =
        next() % 8 === 0 ? -0 * (word & 1) : (word / 2 ** 31 - 1) * 2 ** ((word % 131) - 70);
    if (Number.isNaN(values[i])) values[i] = word & 1 ? Number.NEGATIVE_INFINITY : 3e38;
  }
  return values;
}

/** A seeded stream of 32-bit integers (xorshift32). */
export function randomWords(start: number): () => number {
  let state = (start ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.imul(state, 0x2545f491) >>> 0;
  };
}
