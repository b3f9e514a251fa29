/** The largest finite E4M3 value; rounding saturates at it. */
export const E4M3_MAX = 448;

const E4M3_MIN_NORMAL = 2 ** -6;
const E4M3_SUBNORMAL_STEP = 2 ** -9;
const E4M3_NAN_CODE = 0x7f;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest bfloat16 of an f32, ties to even; infinities and NaN are kept. */
export function roundToBf16(x: number): number {
  if (Number.isNaN(x)) return x;
  float[0] = x;
  const word = bits[0]!;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return float[0];
}

/** The 16-bit code of a value that bfloat16 represents exactly. */
export function bf16Bits(x: number): number {
  float[0] = x;
  return bits[0]! >>> 16;
}

/** The value of a 16-bit bfloat16 code. */
export function bf16FromBits(code: number): number {
  bits[0] = code << 16;
  return float[0]!;
}

/**
 * The nearest OCP E4M3FN value of an f32, ties to even, saturating at ±448 (infinities too); NaN
 * and the sign are kept.
 */
export function roundToE4M3(x: number): number {
  if (Number.isNaN(x)) return x;
  const magnitude = roundMagnitudeToE4M3(Math.min(Math.abs(x), E4M3_MAX));
  return x < 0 || Object.is(x, -0) ? -magnitude : magnitude;
}

/** The 8-bit code of an f32 after rounding to E4M3; NaN becomes 0x7f. */
export function numberToE4M3Code(x: number): number {
  if (Number.isNaN(x)) return E4M3_NAN_CODE;
  const rounded = roundToE4M3(x);
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x80 : 0;
  return sign | magnitudeCode(Math.abs(rounded));
}

/** The value of an 8-bit E4M3FN code; both codes with seven ones are NaN. */
export function e4m3ToNumber(code: number): number {
  const magnitudeBits = code & 0x7f;
  if (magnitudeBits === E4M3_NAN_CODE) return Number.NaN;
  const magnitude =
    magnitudeBits < 8 ? magnitudeBits * E4M3_SUBNORMAL_STEP : normalMagnitude(magnitudeBits);
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}

function roundMagnitudeToE4M3(magnitude: number): number {
  if (magnitude < E4M3_MIN_NORMAL) {
    // One unit in the last place of 2^14 is the subnormal step, so the sum rounds to it.
    return Math.fround(Math.fround(magnitude) + 2 ** 14) - 2 ** 14;
  }
  float[0] = magnitude;
  const word = bits[0]!;
  bits[0] = (word + 0x7ffff + ((word >>> 20) & 1)) & 0xfff00000;
  return float[0];
}

function magnitudeCode(magnitude: number): number {
  if (magnitude < E4M3_MIN_NORMAL) return magnitude / E4M3_SUBNORMAL_STEP;
  float[0] = magnitude;
  return (bits[0]! >>> 20) - (120 << 3); // the exponent's bias is 127 in f32, 7 in E4M3
}

function normalMagnitude(magnitudeBits: number): number {
  bits[0] = (magnitudeBits + (120 << 3)) << 20;
  return float[0]!;
}
