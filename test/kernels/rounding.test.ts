import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bf16Bits,
  bf16FromBits,
  e4m3ToNumber,
  numberToE4M3Code,
  roundToBf16,
  roundToE4M3,
} from '../../services/core/support/rounding.ts';

const f32 = fc.oneof(
  fc.float({ noNaN: true }),
  fc.float({ noNaN: true, min: -500, max: 500 }),
  fc.float({ noNaN: true, min: Math.fround(-0.05), max: Math.fround(0.05) }),
);

/**
 * The format's finite magnitudes by definition: mantissa / 8 · 2^(exponent − 7), without the hidden
 * bit at exponent 0.
 */
const magnitudes = Array.from({ length: 127 }, (_, code) => {
  const exponent = code >> 3;
  const mantissa = (code & 7) / 8;
  return exponent === 0 ? mantissa * 2 ** -6 : (1 + mantissa) * 2 ** (exponent - 7);
});

/** The nearest magnitude by search; of two equally near, the one with an even mantissa. */
function nearestE4M3(x: number): number {
  let best = 0;
  for (let code = 1; code < magnitudes.length; code++) {
    const gain = Math.abs(magnitudes[best]! - x) - Math.abs(magnitudes[code]! - x);
    if (gain > 0 || (gain === 0 && code % 2 === 0)) best = code;
  }
  return magnitudes[best]!;
}

test('every E4M3 code decodes by the format and encodes back to itself', () => {
  for (let code = 0; code < 256; code++) {
    const value = e4m3ToNumber(code);
    if ((code & 0x7f) === 0x7f) {
      assert.ok(Number.isNaN(value));
      assert.equal(numberToE4M3Code(value), 0x7f);
      continue;
    }
    const magnitude = magnitudes[code & 0x7f]!;
    assert.ok(Object.is(value, code < 128 ? magnitude : -magnitude));
    assert.equal(numberToE4M3Code(value), code);
    assert.ok(Object.is(roundToE4M3(value), value));
  }
});

test('E4M3 rounding finds the nearest of all finite values, ties to even, and keeps the sign', () => {
  fc.assert(
    fc.property(f32, (x) => {
      const magnitude = Number.isFinite(x) ? nearestE4M3(Math.abs(x)) : 448;
      const negative = x < 0 || Object.is(x, -0);
      assert.ok(Object.is(roundToE4M3(x), negative ? -magnitude : magnitude), `${x}`);
      assert.ok(Object.is(e4m3ToNumber(numberToE4M3Code(x)), roundToE4M3(x)));
    }),
    { numRuns: 5000 },
  );
});

test('E4M3 rounding takes exact midpoints to the even mantissa', () => {
  for (let code = 0; code + 1 < magnitudes.length; code++) {
    const middle = (magnitudes[code]! + magnitudes[code + 1]!) / 2;
    const even = magnitudes[code % 2 === 0 ? code : code + 1]!;
    assert.equal(roundToE4M3(middle), even);
    assert.equal(roundToE4M3(-middle), -even);
  }
});

test('E4M3 saturates, and NaN stays NaN', () => {
  assert.equal(roundToE4M3(Number.POSITIVE_INFINITY), 448);
  assert.equal(roundToE4M3(-1e30), -448);
  assert.ok(Number.isNaN(roundToE4M3(Number.NaN)));
});

test('bfloat16 rounding finds the nearer neighbour, ties to even', () => {
  fc.assert(
    fc.property(f32, (x) => {
      const below = bf16FromBits(bf16Bits(x)); // truncated
      const rounded = roundToBf16(x);
      assert.ok(Object.is(bf16FromBits(bf16Bits(rounded)), rounded));
      if (Object.is(below, x)) {
        assert.ok(Object.is(rounded, x));
        return;
      }
      const above = bf16FromBits(bf16Bits(x) + 1);
      const toBelow = Math.abs(x - below);
      // Past the largest value the next step would be a power of two; rounding goes to infinity
      // from its middle.
      const toAbove = Number.isFinite(above) ? Math.abs(above - x) : 2 ** 128 - Math.abs(x);
      const even = bf16Bits(x) % 2 === 0 ? below : above;
      const expected = toBelow < toAbove ? below : toBelow > toAbove ? above : even;
      assert.ok(Object.is(rounded, expected), `${x}`);
    }),
    { numRuns: 5000 },
  );
});

test('bfloat16 keeps infinities and NaN', () => {
  assert.equal(roundToBf16(Number.NEGATIVE_INFINITY), Number.NEGATIVE_INFINITY);
  assert.ok(Number.isNaN(roundToBf16(Number.NaN)));
});
