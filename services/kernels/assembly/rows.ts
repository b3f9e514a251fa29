import {
  addLanes,
  e4m3Scale,
  exp,
  FLOAT_BYTES,
  loadPart,
  storePart,
  toBf16,
  toE4M3,
  VECTOR_BYTES,
} from './simd';

export function quantizeE4M3(
  rows: i32,
  n: i32,
  x: usize,
  xStride: i32,
  out: usize,
  outStride: i32,
  scales: usize,
): void {
  for (let row = 0; row < rows; row++) {
    const scale = e4m3Scale(x, n);
    store<f32>(scales + row * FLOAT_BYTES, scale);
    const divisor = f32x4.splat(scale);
    let i: usize = 0;
    const whole: usize = (n & ~3) * FLOAT_BYTES;
    for (; i < whole; i += VECTOR_BYTES) {
      v128.store(out + i, toE4M3(f32x4.div(v128.load(x + i), divisor)));
    }
    if (n & 3) storePart(out + i, toE4M3(f32x4.div(loadPart(x + i, n & 3), divisor)), n & 3);
    x += xStride * FLOAT_BYTES;
    out += outStride * FLOAT_BYTES;
  }
}

export function roundBf16(
  rows: i32,
  n: i32,
  x: usize,
  xStride: i32,
  out: usize,
  outStride: i32,
): void {
  for (let row = 0; row < rows; row++) {
    let i: usize = 0;
    const whole: usize = (n & ~3) * FLOAT_BYTES;
    for (; i < whole; i += VECTOR_BYTES) v128.store(out + i, toBf16(v128.load(x + i)));
    if (n & 3) storePart(out + i, toBf16(loadPart(x + i, n & 3)), n & 3);
    x += xStride * FLOAT_BYTES;
    out += outStride * FLOAT_BYTES;
  }
}

export function rmsNorm(
  rows: i32,
  n: i32,
  x: usize,
  xStride: i32,
  out: usize,
  outStride: i32,
  weight: usize,
  epsilon: f32,
): void {
  for (let row = 0; row < rows; row++) {
    const inverse = <f32>1 / sqrt<f32>(sumOfSquares(x, n) / <f32>n + epsilon);
    const factor = f32x4.splat(inverse);
    let i: usize = 0;
    const whole: usize = (n & ~3) * FLOAT_BYTES;
    for (; i < whole; i += VECTOR_BYTES) {
      v128.store(out + i, f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(weight + i)));
    }
    if (n & 3) {
      const scaled = f32x4.mul(loadPart(x + i, n & 3), factor);
      storePart(out + i, f32x4.mul(scaled, loadPart(weight + i, n & 3)), n & 3);
    }
    x += xStride * FLOAT_BYTES;
    out += outStride * FLOAT_BYTES;
  }
}

function sumOfSquares(x: usize, n: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 = f32x4.add(s0, square(v128.load(x)));
    s1 = f32x4.add(s1, square(v128.load(x, 16)));
    s2 = f32x4.add(s2, square(v128.load(x, 32)));
    s3 = f32x4.add(s3, square(v128.load(x, 48)));
    x += 64;
  }
  // At most 15 elements are left: lanes without one add zero, which changes no sum of squares.
  if (i < n) s0 = f32x4.add(s0, square(loadUpTo4(x, n - i)));
  if (i + 4 < n) s1 = f32x4.add(s1, square(loadUpTo4(x + 16, n - i - 4)));
  if (i + 8 < n) s2 = f32x4.add(s2, square(loadUpTo4(x + 32, n - i - 8)));
  if (i + 12 < n) s3 = f32x4.add(s3, square(loadUpTo4(x + 48, n - i - 12)));
  return addLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
}

// @ts-ignore: decorator
@inline
function square(x: v128): v128 {
  return f32x4.mul(x, x);
}

// @ts-ignore: decorator
@inline
function loadUpTo4(from: usize, count: i32): v128 {
  return count >= 4 ? v128.load(from) : loadPart(from, count);
}

export function siluMultiply(
  rows: i32,
  n: i32,
  gate: usize,
  up: usize,
  stride: i32,
  out: usize,
  outStride: i32,
): void {
  for (let row = 0; row < rows; row++) {
    let i: usize = 0;
    const whole: usize = (n & ~3) * FLOAT_BYTES;
    for (; i < whole; i += VECTOR_BYTES) {
      v128.store(out + i, f32x4.mul(silu(v128.load(gate + i)), v128.load(up + i)));
    }
    if (n & 3) {
      const activated = silu(loadPart(gate + i, n & 3));
      storePart(out + i, f32x4.mul(activated, loadPart(up + i, n & 3)), n & 3);
    }
    gate += stride * FLOAT_BYTES;
    up += stride * FLOAT_BYTES;
    out += outStride * FLOAT_BYTES;
  }
}

// @ts-ignore: decorator
@inline
function silu(gate: v128): v128 {
  return f32x4.div(gate, f32x4.add(f32x4.splat(1), exp(f32x4.neg(gate))));
}

export function add(count: i32, a: usize, b: usize, out: usize): void {
  let i: usize = 0;
  const whole: usize = (count & ~3) * FLOAT_BYTES;
  for (; i < whole; i += VECTOR_BYTES) {
    v128.store(out + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  }
  const rest = count & 3;
  if (rest) storePart(out + i, f32x4.add(loadPart(a + i, rest), loadPart(b + i, rest)), rest);
}
