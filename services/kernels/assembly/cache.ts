import { e4m3Scale, FLOAT_BYTES, toBf16, toE4M3, VECTOR_BYTES } from './simd';

const FORMAT_F32 = 0;
const FORMAT_BF16 = 1;

export function rope(
  rows: i32,
  heads: i32,
  headDim: i32,
  x: usize,
  xStride: i32,
  positions: usize,
  cos: usize,
  sin: usize,
): void {
  const halfBytes: usize = (headDim >> 1) * FLOAT_BYTES;
  for (let row = 0; row < rows; row++) {
    const angles = load<i32>(positions + row * FLOAT_BYTES) * halfBytes;
    let first = x + row * xStride * FLOAT_BYTES;
    for (let head = 0; head < heads; head++) {
      rotateHead(first, first + halfBytes, cos + angles, sin + angles, halfBytes);
      first += 2 * halfBytes;
    }
  }
}

function rotateHead(first: usize, second: usize, cos: usize, sin: usize, halfBytes: usize): void {
  let i: usize = 0;
  for (; i + VECTOR_BYTES <= halfBytes; i += VECTOR_BYTES) {
    const c = v128.load(cos + i);
    const s = v128.load(sin + i);
    const a = v128.load(first + i);
    const b = v128.load(second + i);
    v128.store(first + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
    v128.store(second + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
  }
  if (i == halfBytes) return;
  // A head's size is a multiple of four, so a half leaves two elements.
  const c = v128.load64_zero(cos + i);
  const s = v128.load64_zero(sin + i);
  const a = v128.load64_zero(first + i);
  const b = v128.load64_zero(second + i);
  v128.store64_lane(first + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)), 0);
  v128.store64_lane(second + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)), 0);
}

export function storeKv(
  rows: i32,
  k: usize,
  v: usize,
  stride: i32,
  slots: usize,
  format: i32,
  keys: usize,
  values: usize,
  kvHeads: i32,
  headDim: i32,
  blockSize: i32,
): void {
  const headBytes: usize = headDim * FLOAT_BYTES;
  for (let row = 0; row < rows; row++) {
    const slot = load<i32>(slots + row * FLOAT_BYTES);
    const block = slot / blockSize;
    const offset = slot - block * blockSize;
    for (let head = 0; head < kvHeads; head++) {
      const from: usize = (<usize>row * stride + head * headDim) * FLOAT_BYTES;
      const to: usize = (<usize>block * kvHeads + head) * blockSize * headBytes;
      storeKey(k + from, keys + to + offset * FLOAT_BYTES, headDim, blockSize, format);
      storeValue(v + from, values + to + offset * headBytes, headDim, format);
    }
  }
}

/** Scatters one key: its elements lie a block apart. */
function storeKey(from: usize, to: usize, headDim: i32, blockSize: i32, format: i32): void {
  const scale = format > FORMAT_BF16 ? e4m3Scale(from, headDim) : 1;
  const step: usize = blockSize * FLOAT_BYTES;
  const end = from + headDim * FLOAT_BYTES;
  for (; from < end; from += VECTOR_BYTES) {
    const x = roundTo(v128.load(from), format, scale);
    v128.store32_lane(to, x, 0);
    v128.store32_lane(to + step, x, 1);
    v128.store32_lane(to + 2 * step, x, 2);
    v128.store32_lane(to + 3 * step, x, 3);
    to += 4 * step;
  }
}

function storeValue(from: usize, to: usize, headDim: i32, format: i32): void {
  const scale = format > FORMAT_BF16 ? e4m3Scale(from, headDim) : 1;
  const end = from + headDim * FLOAT_BYTES;
  for (; from < end; from += VECTOR_BYTES) {
    v128.store(to, roundTo(v128.load(from), format, scale));
    to += VECTOR_BYTES;
  }
}

// @ts-ignore: decorator
@inline
function roundTo(x: v128, format: i32, scale: f32): v128 {
  if (format == FORMAT_F32) return x;
  if (format == FORMAT_BF16) return toBf16(x);
  const factor = f32x4.splat(scale);
  return f32x4.mul(toE4M3(f32x4.div(x, factor)), factor);
}
