import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFloats, type FloatDtype } from '../../services/core/support/float-decoding.ts';
import { encodeFloats } from '../support/float-encoding.ts';

function decode(dtype: FloatDtype, bytes: Uint8Array, count: number): Float32Array {
  const target = new Float32Array(count);
  decodeFloats(dtype, bytes, target);
  return target;
}

test('F32 keeps every value, at any alignment', () => {
  const values = fc.float32Array({ noNaN: true, maxLength: 50 });
  fc.assert(
    fc.property(values, fc.nat(7), (floats, shift) => {
      const padded = new Uint8Array(floats.byteLength + shift);
      padded.set(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength), shift);
      assert.deepEqual(decode('F32', padded.subarray(shift), floats.length), floats);
    }),
  );
});

test('BF16 is the upper half of an F32, for all 65,536 values', () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, index) => index);
  const decoded = decode('BF16', new Uint8Array(bits.buffer), bits.length);
  const expected = new Float32Array(Uint32Array.from(bits, (value) => value << 16).buffer);
  assert.deepEqual(decoded, expected);
});

test('F16 and E4M3 decode to the known values at their corners', () => {
  const f16: [number, number][] = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0x3555, 0.333251953125],
    [0xc000, -2],
    [0x7bff, 65_504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0x7e00, Number.NaN],
    [0x8000, -0],
  ];
  const e4m3: [number, number][] = [
    [0x00, 0],
    [0x01, 2 ** -9],
    [0x07, 7 * 2 ** -9],
    [0x08, 2 ** -6],
    [0x38, 1],
    [0x7e, 448],
    [0xfe, -448],
    [0x7f, Number.NaN],
    [0xff, Number.NaN],
    [0x80, -0],
  ];
  const bits = Uint16Array.from(f16, ([code]) => code);
  const halves = decode('F16', new Uint8Array(bits.buffer), f16.length);
  f16.forEach(([code, value], i) => {
    assert.ok(Object.is(halves[i], value), `F16 ${code}`);
  });
  const bytes = Uint8Array.from(e4m3, ([code]) => code);
  const eights = decode('F8_E4M3', bytes, e4m3.length);
  e4m3.forEach(([code, value], i) => {
    assert.ok(Object.is(eights[i], value), `E4M3 ${code}`);
  });
});

test('every finite F16 and E4M3 value survives encoding and decoding', () => {
  for (const [dtype, codes] of [
    ['F16', 65_536],
    ['F8_E4M3', 256],
  ] as const) {
    const bytes =
      dtype === 'F16'
        ? new Uint8Array(Uint16Array.from({ length: codes }, (_, i) => i).buffer)
        : Uint8Array.from({ length: codes }, (_, i) => i);
    const values = decode(dtype, bytes, codes).filter(Number.isFinite);
    assert.deepEqual(decode(dtype, encodeFloats(dtype, values), values.length), values);
  }
});
