/** Element types of stored weights, named as safetensors names them. */
export type FloatDtype = 'F32' | 'BF16' | 'F16' | 'F8_E4M3';

/** Every element type that can be decoded, with the bytes of one element. */
export const FLOAT_DTYPE_BYTES: Readonly<Record<FloatDtype, number>> = {
  F32: 4,
  BF16: 2,
  F16: 2,
  F8_E4M3: 1,
};

/** Narrows the name of an element type to those that can be decoded. */
export function isFloatDtype(name: unknown): name is FloatDtype {
  return typeof name === 'string' && Object.hasOwn(FLOAT_DTYPE_BYTES, name);
}

/**
 * Decodes little-endian elements into `target`, one for each of its places; every f32 result is
 * exact.
 */
export function decodeFloats(dtype: FloatDtype, bytes: Uint8Array, target: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'F32':
      for (let i = 0; i < target.length; i++) target[i] = view.getFloat32(4 * i, true);
      return;
    case 'BF16':
      decodeBf16(view, target);
      return;
    case 'F16':
      decodeF16s(view, target);
      return;
    case 'F8_E4M3':
      for (let i = 0; i < target.length; i++) target[i] = F8_E4M3_VALUES[bytes[i]!]!;
      return;
  }
}

/** A bf16 is the upper half of an f32. */
function decodeBf16(view: DataView, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < bits.length; i++) bits[i] = view.getUint16(2 * i, true) << 16;
}

function decodeF16s(view: DataView, target: Float32Array): void {
  f16Values ??= Float32Array.from({ length: 65_536 }, (_, bits) => decodeF16(bits));
  for (let i = 0; i < target.length; i++) target[i] = f16Values[view.getUint16(2 * i, true)]!;
}

const F8_E4M3_VALUES = Float32Array.from({ length: 256 }, (_, bits) => decodeF8E4m3(bits)); // [256]

let f16Values: Float32Array | undefined; // [65536], built at first use

function decodeF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** E4M3 has no infinity: all ones is NaN and the largest value is 448. */
function decodeF8E4m3(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 0xf;
  const mantissa = bits & 0x7;
  if (exponent === 0xf && mantissa === 0x7) return Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -9;
  return sign * (8 + mantissa) * 2 ** (exponent - 10);
}
