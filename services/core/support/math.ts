/*
 * Elementary functions from + − × ÷ and bit access alone, so that no result depends on a JavaScript
 * engine's own library. The f64 polynomials are Taylor series, long enough for their reduced range.
 */

const LOG2_E = Math.LOG2E;
const LN2_HIGH = 0.6931471803691238; // 32 bits: its product with an exponent is exact
const LN2_LOW = 1.9082149292705877e-10;

const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);
const double = new Float64Array(1);
const doubleWords = new Int32Array(double.buffer); // [low, high]

const F64_MIN_NORMAL = 2.2250738585072014e-308;
const POWERS_OF_TWO = powersOfTwo(); // f64 [2048], from 2^−1024

const F32_LOG2_E = Math.fround(LOG2_E);
const F32_LN2_HIGH = 0.693359375;
const F32_LN2_LOW = Math.fround(-0.00021219444);
const F32_ROUNDER = 12582912; // 1.5 · 2^23: adding it leaves the nearest integer in the low bits
const F32_EXP_MAX = 88;
/** Below it e^x is taken as zero: the results above it are all normal numbers. */
const F32_EXP_MIN = Math.fround(-87.3);
const F32_EXP_2 = Math.fround(0.49999994);
const F32_EXP_3 = Math.fround(0.1666652);
const F32_EXP_4 = Math.fround(0.041668404);
const F32_EXP_5 = Math.fround(0.008368899);
const F32_EXP_6 = Math.fround(0.0013814222);

/**
 * e^x of an f32, every operation in f32: 0 below −87.3, e^88 above 88, within 2 units in the last
 * place between.
 */
export function expF32(x: number): number {
  if (x < F32_EXP_MIN) return 0;
  const bounded = Math.min(x, F32_EXP_MAX);
  const shifted = Math.fround(Math.fround(bounded * F32_LOG2_E) + F32_ROUNDER);
  const n = Math.fround(shifted - F32_ROUNDER);
  const high = Math.fround(bounded - Math.fround(n * F32_LN2_HIGH));
  const r = Math.fround(high - Math.fround(n * F32_LN2_LOW));
  let sum = Math.fround(Math.fround(F32_EXP_6 * r) + F32_EXP_5);
  sum = Math.fround(Math.fround(sum * r) + F32_EXP_4);
  sum = Math.fround(Math.fround(sum * r) + F32_EXP_3);
  sum = Math.fround(Math.fround(sum * r) + F32_EXP_2);
  sum = Math.fround(Math.fround(Math.fround(sum * Math.fround(r * r)) + r) + 1);
  float[0] = shifted;
  floatBits[0] = (floatBits[0]! << 23) + 0x3f800000;
  return Math.fround(sum * float[0]);
}

const F64_ROUNDER = 6755399441055744; // 1.5 · 2^52

/** e^x in f64. */
export function expF64(x: number): number {
  if (!(x > -746)) return Number.isNaN(x) ? x : 0;
  if (x > 709.8) return Number.POSITIVE_INFINITY;
  const n = x * LOG2_E + F64_ROUNDER - F64_ROUNDER;
  const high = x - n * LN2_HIGH;
  const low = n * LN2_LOW;
  const r = high - low;
  const lost = high - r - low;
  const sum = 1 + (r + (lost + r * r * expTail(r)));
  const half = n >> 1;
  return sum * powerOfTwo(half) * powerOfTwo(n - half);
}

/** (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2. */
function expTail(r: number): number {
  const z = r * r;
  const even =
    1 / 2 + z * (1 / 24 + z * (1 / 720 + z * (1 / 40320 + z * (1 / 3628800 + z / 479001600))));
  const odd =
    1 / 6 + z * (1 / 120 + z * (1 / 5040 + z * (1 / 362880 + z * (1 / 39916800 + z / 6227020800))));
  return even + r * odd;
}

function powersOfTwo(): Float64Array {
  const powers = new Float64Array(2048);
  powers[1024] = 1;
  for (let index = 1025; index < 2048; index++) powers[index] = powers[index - 1]! * 2;
  for (let index = 1023; index >= 0; index--) powers[index] = powers[index + 1]! / 2;
  return powers;
}

/** 2^exponent for −1024 ≤ exponent ≤ 1023. */
function powerOfTwo(exponent: number): number {
  return POWERS_OF_TWO[exponent + 1024]!;
}

/** The natural logarithm in f64. */
export function logF64(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  // Subnormal: scaled by 2^54.
  if (x < F64_MIN_NORMAL) return logF64(x * 18014398509481984) - 54 * (LN2_HIGH + LN2_LOW);
  const exponent = exponentOf(x);
  const f = x * powerOfTwo(-exponent) - 1;
  const s = f / (2 + f);
  return exponent * LN2_HIGH + (2 * s + (s * logTail(s * s) + exponent * LN2_LOW));
}

/** The exponent that leaves a normal number's mantissa within [√½, √2). */
function exponentOf(x: number): number {
  double[0] = x;
  // 0x95f62 carries into the exponent just where the mantissa reaches √2.
  return ((doubleWords[1]! + 0x95f62) >> 20) - 1023;
}

/** ln((1 + s) / (1 − s)) / s − 2 for z = s² ≤ 0.03. */
function logTail(z: number): number {
  const y = z * z;
  const odd = 2 / 3 + y * (2 / 7 + y * (2 / 11 + y * (2 / 15 + y * (2 / 19 + y * (2 / 23)))));
  const even = 2 / 5 + y * (2 / 9 + y * (2 / 13 + y * (2 / 17 + y * (2 / 21))));
  return z * (odd + z * even);
}

/**
 * base^exponent in f64 for a positive normal base; the logarithm is taken in double-double, so
 * large exponents stay exact.
 */
export function powF64(base: number, exponent: number): number {
  const binary = exponentOf(base);
  const f = base * powerOfTwo(-binary) - 1;
  const divisor = 2 + f;
  const s = f / divisor;
  const remainder = f - s * divisor - productError(s, divisor) - s * (f - (divisor - 2));
  const tail = (2 * remainder) / divisor + s * logTail(s * s);
  const scaled = binary * LN2_HIGH;
  const head = scaled + 2 * s;
  const rest = sumError(scaled, 2 * s) + (binary * LN2_LOW + tail);
  const logarithm = head + rest;
  const power = exponent * logarithm;
  const powerLow = productError(exponent, logarithm) + exponent * sumError(head, rest);
  const result = expF64(power);
  return Number.isFinite(result) ? result + result * powerLow : result;
}

/** What rounding took from a + b. */
function sumError(a: number, b: number): number {
  const sum = a + b;
  const second = sum - a;
  return a - (sum - second) + (b - second);
}

/** What rounding took from a × b (Dekker's splitting). */
function productError(a: number, b: number): number {
  const aSplit = a * 134217729; // 2^27 + 1
  const bSplit = b * 134217729;
  const aHigh = aSplit - (aSplit - a);
  const bHigh = bSplit - (bSplit - b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (a * b - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

// π/2 in three parts; the first two have 33 bits, so that a count of up to 20 bits times them is
// exact.
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_3 = 2.0222662487959506e-21;
const TWO_OVER_PI = 0.6366197723675814;

/** The sine in f64 of an angle up to ±1.6 million. */
export function sinF64(x: number): number {
  return quarterTurns(x, 0);
}

/** The cosine in f64 of an angle up to ±1.6 million. */
export function cosF64(x: number): number {
  return quarterTurns(x, 1);
}

/**
 * sin(x + shift · π/2): the angle's distance from the nearest quarter turn, in two parts, then one
 * of two series.
 */
function quarterTurns(x: number, shift: number): number {
  const count = x * TWO_OVER_PI + F64_ROUNDER - F64_ROUNDER;
  const first = x - count * HALF_PI_1;
  const second = -(count * HALF_PI_2);
  const near = first + second;
  const rest = sumError(first, second) - count * HALF_PI_3;
  const r = near + rest;
  const low = near - r + rest;
  const quadrant = (count + shift) & 3;
  const value = (quadrant & 1) === 0 ? sinSeries(r, low) : cosSeries(r, low);
  return quadrant < 2 ? value : -value;
}

/** sin(r + low) for |r| ≤ π/4. */
function sinSeries(r: number, low: number): number {
  const z = r * r;
  const high = -1 / 5040 + z * (1 / 362880 + z * (-1 / 39916800 + z * (1 / 6227020800)));
  const highest = -1 / 1307674368000 + z * (1 / 355687428096000);
  const series = -1 / 6 + z * (1 / 120 + z * (high + z * z * z * z * highest));
  return r + (r * z * series + low * (1 - z / 2));
}

/** cos(r + low) for |r| ≤ π/4. */
function cosSeries(r: number, low: number): number {
  const z = r * r;
  const high = 1 / 40320 + z * (-1 / 3628800 + z * (1 / 479001600));
  const highest = -1 / 87178291200 + z * (1 / 20922789888000);
  const series = 1 / 24 + z * (-1 / 720 + z * (high + z * z * z * highest));
  const half = z / 2;
  const one = 1 - half;
  return one + (1 - one - half + (z * z * series - r * low));
}
