import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  cosF64,
  expF32,
  expF64,
  logF64,
  powF64,
  sinF64,
} from '../../services/core/support/math.ts';

const range = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** Asserts over random arguments that the error stays below a fraction of the true value. */
function assertClose(
  argument: fc.Arbitrary<number>,
  pair: { readonly ours: (x: number) => number; readonly theirs: (x: number) => number },
  relativeError: number,
): void {
  fc.assert(
    fc.property(argument, (x) => {
      const expected = pair.theirs(x);
      const error = Math.abs(pair.ours(x) - expected);
      assert.ok(error <= relativeError * Math.abs(expected), `${x}: error ${error} of ${expected}`);
    }),
    { numRuns: 20_000 },
  );
}

test('expF32 is within two units in the last place', () => {
  const f32 = fc.float({ min: Math.fround(-87.3), max: 88, noNaN: true });
  fc.assert(
    fc.property(f32, (x) => {
      const expected = Math.exp(x);
      const unit = 2 ** (Math.floor(Math.log2(expected)) - 23);
      const actual = expF32(x);
      assert.equal(Math.fround(actual), actual);
      assert.ok(Math.abs(actual - expected) <= 2 * unit, `${x}`);
    }),
    { numRuns: 20_000 },
  );
});

test('expF32 has exact ends', () => {
  assert.equal(expF32(0), 1);
  assert.equal(expF32(-0), 1);
  assert.ok(Object.is(expF32(-87.5), 0));
  assert.ok(Object.is(expF32(Number.NEGATIVE_INFINITY), 0));
  assert.equal(expF32(Number.POSITIVE_INFINITY), expF32(88));
  assert.ok(Number.isFinite(expF32(88)));
  assert.ok(Number.isNaN(expF32(Number.NaN)));
});

test('expF64 agrees with Math.exp', () => {
  assertClose(range(-700, 700), { ours: expF64, theirs: Math.exp }, 1e-15);
  assertClose(range(-1, 1), { ours: expF64, theirs: Math.exp }, 1e-15);
  assert.equal(expF64(0), 1);
  assert.equal(expF64(Number.NEGATIVE_INFINITY), 0);
  assert.equal(expF64(710), Number.POSITIVE_INFINITY);
  assert.equal(expF64(-745), 5e-324);
});

test('logF64 agrees with Math.log', () => {
  assertClose(range(5e-324, 1.7e308), { ours: logF64, theirs: Math.log }, 1e-15);
  assertClose(
    range(0, 1),
    { ours: (u) => logF64(u + 1e-10), theirs: (u) => Math.log(u + 1e-10) },
    1e-15,
  );
  assertClose(range(0.5, 2), { ours: logF64, theirs: Math.log }, 1e-15);
  for (const x of [Number.MAX_VALUE, 2.2250738585072014e-308, 5e-324]) {
    assert.ok(Math.abs(logF64(x) / Math.log(x) - 1) <= 1e-15);
  }
  assert.equal(logF64(1), 0);
  assert.equal(logF64(0), Number.NEGATIVE_INFINITY);
  assert.ok(Number.isNaN(logF64(-1)));
  assert.equal(logF64(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
});

test('powF64 agrees with Math.pow', () => {
  fc.assert(
    fc.property(range(1e-3, 1e7), range(-30, 30), (base, exponent) => {
      const expected = base ** exponent;
      assert.ok(Math.abs(powF64(base, exponent) - expected) <= 1e-15 * expected);
    }),
    { numRuns: 20_000 },
  );
  assert.equal(powF64(10, 3), 1000);
  assert.equal(powF64(500_000, 0), 1);
});

test('sinF64 and cosF64 agree with Math.sin and Math.cos', () => {
  for (const limit of [1, 10, 1e6]) {
    assertClose(range(-limit, limit), { ours: sinF64, theirs: Math.sin }, 1e-15);
    assertClose(range(-limit, limit), { ours: cosF64, theirs: Math.cos }, 1e-15);
  }
  assert.equal(sinF64(0), 0);
  assert.equal(cosF64(0), 1);
});

test('sine and cosine stay accurate beside multiples of a quarter turn', () => {
  fc.assert(
    fc.property(fc.integer({ min: -600_000, max: 600_000 }), (quarters) => {
      const x = quarters * (Math.PI / 2);
      for (const [ours, theirs] of [
        [sinF64(x), Math.sin(x)],
        [cosF64(x), Math.cos(x)],
      ] as const) {
        assert.ok(Math.abs(ours - theirs) <= 1e-15 * Math.abs(theirs), `${x}`);
      }
    }),
  );
});
