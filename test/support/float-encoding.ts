import type { FloatDtype } from '../../services/core/support/float-decoding.ts';

/** Encodes values, rounding each to the nearest that the element type holds. */
export function encodeFloats(dtype: FloatDtype, values: ArrayLike<number>): Uint8Array {
  const list = Array.from(values);
  switch (dtype) {
    case 'F32':
      return new Uint8Array(Float32Array.from(list).buffer);
    case 'BF16':
      return new Uint8Array(Uint16Array.from(list, (value) => encodeBf16(value)).buffer);
    case 'F16':
      return new Uint8Array(Uint16Array.from(list, (value) => encodeSmall(value, 10, 15)).buffer);
    case 'F8_E4M3':
      return Uint8Array.from(list, (value) => encodeSmall(value, 3, 7));
  }
}

function encodeBf16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** For values below the type's largest; subnormal ones fall out of the same formula. */
function encodeSmall(value: number, mantissaBits: number, bias: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 1 : 0;
  const magnitude = Math.abs(value);
  const exponent = Math.max(1 - bias, Math.floor(Math.log2(magnitude)));
  const mantissa = Math.round(magnitude / 2 ** (exponent - mantissaBits));
  const signBit = (mantissaBits === 10 ? 15 : 7) as number;
  return (sign << signBit) | (((exponent + bias - 1) << mantissaBits) + mantissa);
}
