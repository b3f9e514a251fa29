import { roundToBf16, roundToE4M3 } from '../../core/support/rounding.ts';
import type { KvFormat, RopeArgs, StoreKvArgs } from '../kernels.ts';
import { e4m3Scale } from './rows.ts';
import type { MemoryViews } from './views.ts';

export function rope({ floats, integers }: MemoryViews, args: RopeArgs): void {
  const half = args.headDim / 2;
  for (let row = 0; row < args.rows; row++) {
    const angles = integers[args.positions / 4 + row]! * half;
    for (let head = 0; head < args.heads; head++) {
      const first = args.x / 4 + row * args.xStride + head * args.headDim;
      for (let i = 0; i < half; i++) {
        const cos = floats[args.cos / 4 + angles + i]!;
        const sin = floats[args.sin / 4 + angles + i]!;
        const a = floats[first + i]!;
        const b = floats[first + half + i]!;
        floats[first + i] = Math.fround(a * cos) - Math.fround(b * sin);
        floats[first + half + i] = Math.fround(b * cos) + Math.fround(a * sin);
      }
    }
  }
}

export function storeKv({ floats, integers }: MemoryViews, args: StoreKvArgs): void {
  const { kvHeads, headDim, blockSize } = args;
  for (let row = 0; row < args.rows; row++) {
    const slot = integers[args.slots / 4 + row]!;
    const block = Math.floor(slot / blockSize);
    const offset = slot % blockSize;
    for (let head = 0; head < kvHeads; head++) {
      const from = row * args.stride + head * headDim;
      const to = (block * kvHeads + head) * headDim * blockSize;
      const key = { start: args.k / 4 + from, count: headDim };
      const value = { start: args.v / 4 + from, count: headDim };
      const roundKey = rounder(floats, key, args.format);
      const roundValue = rounder(floats, value, args.format);
      for (let i = 0; i < headDim; i++) {
        floats[args.keys / 4 + to + i * blockSize + offset] = roundKey(floats[key.start + i]!);
        floats[args.values / 4 + to + offset * headDim + i] = roundValue(floats[value.start + i]!);
      }
    }
  }
}

/** How one head's vector is rounded. */
function rounder(
  floats: Float32Array,
  range: { readonly start: number; readonly count: number },
  format: KvFormat,
): (x: number) => number {
  if (format === 'f32') return (x) => x;
  if (format === 'bf16') return roundToBf16;
  const scale = e4m3Scale(floats, range);
  return (x) => roundToE4M3(Math.fround(x / scale)) * scale;
}
