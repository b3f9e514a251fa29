import type { Format } from '../hardware/chip.ts';

/** Number formats of a priced model. */
export interface PricedPrecision {
  /** Of the linear layers. Embedding and head are bf16. */
  readonly weights: Format;
  readonly kv: 'fp8' | 'bf16';
}

/** Bytes of the head's and the embedding's elements, and of activations and partial sums. */
export const WIDE_BYTES = 2;

/** Bytes of one weight; fp4 has an 8-bit scale for every 16 of them (NVFP4). */
export function weightBytesOf(format: Format): number {
  return { fp4: 0.5 + 1 / 16, fp8: 1, int8: 1, bf16: WIDE_BYTES }[format];
}

/** Bytes of one element of a key or value. */
export function kvBytesOf(precision: PricedPrecision): number {
  return precision.kv === 'fp8' ? 1 : 2;
}
