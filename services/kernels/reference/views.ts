import type { WeightFormat } from '../kernels.ts';

/**
 * One memory seen as the types that kernels read. Indices are addresses divided by the element's
 * size.
 */
export interface MemoryViews {
  readonly floats: Float32Array;
  readonly words: Uint32Array;
  readonly integers: Int32Array;
  readonly halves: Uint16Array;
}

export function viewMemory(memory: ArrayBufferLike): MemoryViews {
  const words = Math.floor(memory.byteLength / 4);
  return {
    floats: new Float32Array(memory, 0, words),
    words: new Uint32Array(memory, 0, words),
    integers: new Int32Array(memory, 0, words),
    halves: new Uint16Array(memory, 0, 2 * words),
  };
}

/** A reader of packed weights by index, relative to their address. */
export function weightReader(
  views: MemoryViews,
  weights: { readonly address: number; readonly format: WeightFormat },
): (index: number) => number {
  const { floats, halves } = views;
  if (weights.format === 'f32') {
    const start = weights.address / 4;
    return (index) => floats[start + index]!;
  }
  const start = weights.address / 2;
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  return (index) => {
    bits[0] = halves[start + index]! << 16;
    return float[0]!;
  };
}
