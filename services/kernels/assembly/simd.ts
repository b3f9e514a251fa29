// Building blocks of the kernels. Addresses are bytes, counts and strides here too unless they say
// elements.

export const FLOAT_BYTES: usize = 4;
export const VECTOR_BYTES: usize = 16;

/** e^x in four lanes: the same operations, in the same order, as expF32. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const bounded = f32x4.pmin(x, f32x4.splat(88));
  const rounder = f32x4.splat(12582912);
  const shifted = f32x4.add(f32x4.mul(bounded, f32x4.splat(1.442695)), rounder);
  const n = f32x4.sub(shifted, rounder);
  const high = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)));
  const r = f32x4.sub(high, f32x4.mul(n, f32x4.splat(-0.00021219444)));
  let sum = f32x4.add(f32x4.mul(f32x4.splat(0.0013814222), r), f32x4.splat(0.008368899));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.041668404));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.1666652));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.49999994));
  sum = f32x4.add(f32x4.add(f32x4.mul(sum, f32x4.mul(r, r)), r), f32x4.splat(1));
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
  return v128.andnot(f32x4.mul(sum, power), f32x4.lt(x, f32x4.splat(-87.3)));
}

/** Nearest bfloat16 of each lane, ties to even. */
// @ts-ignore: decorator
@inline
export function toBf16(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd);
  return keepNaN(v128.and(rounded, i32x4.splat(0xffff0000)), x);
}

/** Nearest E4M3 value of each lane, ties to even, saturating. */
// @ts-ignore: decorator
@inline
export function toE4M3(x: v128): v128 {
  const magnitude = f32x4.pmin(f32x4.abs(x), f32x4.splat(448));
  const odd = v128.and(i32x4.shr_u(magnitude, 20), i32x4.splat(1));
  const carried = i32x4.add(i32x4.add(magnitude, i32x4.splat(0x7ffff)), odd);
  const normal = v128.and(carried, i32x4.splat(0xfff00000));
  // One unit in the last place of 2^14 is the subnormal step.
  const rounder = f32x4.splat(16384);
  const subnormal = f32x4.sub(f32x4.add(magnitude, rounder), rounder);
  const small = f32x4.lt(magnitude, f32x4.splat(0.015625));
  const rounded = v128.bitselect(subnormal, normal, small);
  return keepNaN(v128.or(rounded, v128.and(x, i32x4.splat(0x80000000))), x);
}

/** The rounded lanes, NaN where x was. */
// @ts-ignore: decorator
@inline
function keepNaN(rounded: v128, x: v128): v128 {
  return v128.or(rounded, f32x4.ne(x, x));
}

/** The first 1 to 3 floats at an address, zeros after them. */
export function loadPart(from: usize, count: i32): v128 {
  if (count == 1) return v128.load32_zero(from);
  const pair = v128.load64_zero(from);
  return count == 2 ? pair : f32x4.replace_lane(pair, 2, load<f32>(from, 8));
}

/** Writes the first 1 to 3 lanes. */
export function storePart(to: usize, x: v128, count: i32): void {
  store<f32>(to, f32x4.extract_lane(x, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(x, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(x, 2), 8);
}

/** (l0 + l1) + (l2 + l3). */
// @ts-ignore: decorator
@inline
export function addLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

// @ts-ignore: decorator
@inline
export function maxLane(x: v128): f32 {
  const pairs = f32x4.pmax(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** max|x| / 448 over n elements, 1 where that is 0. */
export function e4m3Scale(x: usize, n: i32): f32 {
  let m0 = f32x4.splat(0);
  let m1 = f32x4.splat(0);
  let m2 = f32x4.splat(0);
  let m3 = f32x4.splat(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    m0 = f32x4.pmax(m0, f32x4.abs(v128.load(x)));
    m1 = f32x4.pmax(m1, f32x4.abs(v128.load(x, 16)));
    m2 = f32x4.pmax(m2, f32x4.abs(v128.load(x, 32)));
    m3 = f32x4.pmax(m3, f32x4.abs(v128.load(x, 48)));
    x += 64;
  }
  for (; i + 4 <= n; i += 4) {
    m0 = f32x4.pmax(m0, f32x4.abs(v128.load(x)));
    x += VECTOR_BYTES;
  }
  if (i < n) m1 = f32x4.pmax(m1, f32x4.abs(loadPart(x, n - i)));
  const scale = maxLane(f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3))) / 448;
  return scale == 0 ? 1 : scale;
}
