/** Arithmetic of the linear layers; sums are always f32. */
export type Precision = 'f32' | 'bf16' | 'fp8';
export const PRECISIONS: readonly Precision[] = ['f32', 'bf16', 'fp8'];

/** How keys and values are stored; `auto` is f32 for f32 and bf16 otherwise. */
export type KvCacheDtype = 'auto' | 'f32' | 'bf16' | 'fp8';
export const KV_CACHE_DTYPES: readonly KvCacheDtype[] = ['auto', 'f32', 'bf16', 'fp8'];

/** The format that keys and values are rounded to. */
export type KvFormat = Exclude<KvCacheDtype, 'auto'>;

/** The one that is meant. */
export function resolveKvFormat(dtype: KvCacheDtype, precision: Precision): KvFormat {
  if (dtype !== 'auto') return dtype;
  return precision === 'f32' ? 'f32' : 'bf16';
}

/** Bytes of one element of a linear layer's weight on the modelled chip, scales aside. */
export function weightElementBytes(precision: Precision): number {
  return { f32: 4, bf16: 2, fp8: 1 }[precision];
}
