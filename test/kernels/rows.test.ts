import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertSameBits, Bench, randomFloats, seed, type Wildness, wildness } from './support.ts';

const bench = new Bench();

const cases = fc.record({
  rows: fc.integer({ min: 1, max: 70 }),
  n: fc.integer({ min: 1, max: 100 }),
  gap: fc.integer({ min: 0, max: 5 }),
  inPlace: fc.boolean(),
  wildness,
  seed,
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Lays rows out in memory; `area` is what the kernel writes. */
function prepare(shape: Case) {
  bench.reset();
  const { rows, n } = shape;
  const xStride = n + shape.gap;
  const x = bench.floats(randomFloats(rows * xStride, shape));
  const outStride = shape.inPlace ? xStride : n + 2 * shape.gap;
  const out = shape.inPlace ? x : bench.area(rows * outStride);
  const area = { address: out, count: rows * outStride };
  return { args: { rows, n, x, xStride, out, outStride }, area };
}

function property(run: (shape: Case) => void): void {
  fc.assert(fc.property(cases, run), { numRuns: 300 });
}

test('quantizeE4M3 in WebAssembly equals the reference bit for bit, scales included', () => {
  property((shape) => {
    const { args, area } = prepare(shape);
    const scales = bench.area(shape.rows);
    const count = (scales - area.address) / 4 + shape.rows;
    assertSameBits(bench, { address: area.address, count }, (kernels) =>
      kernels.quantizeE4M3({ ...args, scales }),
    );
  });
});

test('a row of zeros has scale 1', () => {
  const { args } = prepare({ rows: 1, n: 9, gap: 0, inPlace: true, wildness: 'tame', seed: 1 });
  bench.view(args.x, 9).fill(0);
  const scales = bench.area(1);
  bench.wasm.quantizeE4M3({ ...args, scales });
  assert.equal(bench.view(scales, 1)[0], 1);
  assert.deepEqual([...bench.view(args.out, 9)], new Array(9).fill(0));
});

test('roundBf16 in WebAssembly equals the reference bit for bit', () => {
  property((shape) => {
    const { args, area } = prepare(shape);
    assertSameBits(bench, area, (kernels) => kernels.roundBf16(args));
  });
});

test('rmsNorm in WebAssembly equals the reference bit for bit', () => {
  property((shape) => {
    const { args, area } = prepare(shape);
    const weight = bench.floats(randomFloats(shape.n, { ...shape, seed: shape.seed + 1 }));
    assertSameBits(bench, area, (kernels) => kernels.rmsNorm({ ...args, weight, epsilon: 1e-5 }));
  });
});

test('siluMultiply in WebAssembly equals the reference bit for bit', () => {
  property((shape) => {
    const { args, area } = prepare(shape);
    const count = shape.rows * args.xStride;
    const up = bench.floats(randomFloats(count, { ...shape, seed: shape.seed + 1 }));
    const gate = bench.floats(exponents(count, shape));
    const { rows, n, out, outStride } = args;
    assertSameBits(bench, area, (kernels) =>
      kernels.siluMultiply({ rows, n, gate, up, stride: args.xStride, out, outStride }),
    );
  });
});

/** Half of the cases within the exponential's range, where its every branch is met. */
function exponents(
  count: number,
  source: { readonly seed: number; readonly wildness: Wildness },
): Float32Array {
  const floats = randomFloats(count, { ...source, seed: source.seed + 2 });
  return source.wildness === 'tame' ? floats.map((x) => x * 64) : floats;
}

test('add in WebAssembly equals the reference bit for bit, in place too', () => {
  property((shape) => {
    bench.reset();
    const count = shape.rows * shape.n;
    const a = bench.floats(randomFloats(count, shape));
    const b = bench.floats(randomFloats(count, { ...shape, seed: shape.seed + 1 }));
    const out = shape.inPlace ? b : bench.area(count);
    assertSameBits(bench, { address: out, count }, (kernels) => kernels.add({ count, a, b, out }));
  });
});

test('rope in WebAssembly equals the reference bit for bit', () => {
  property((shape) => {
    bench.reset();
    const headDim = 4 * (1 + (shape.n % 17));
    const heads = 1 + (shape.gap % 3);
    const xStride = heads * headDim + shape.gap;
    const maxPositions = 12;
    const angles = (maxPositions * headDim) / 2;
    const tame = { seed: shape.seed + 1, wildness: 'tame' as const };
    const cos = bench.floats(randomFloats(angles, tame));
    const sin = bench.floats(randomFloats(angles, { ...tame, seed: shape.seed + 2 }));
    const positions = bench.integers(
      Array.from({ length: shape.rows }, (_, row) => (row * 7) % maxPositions),
    );
    const x = bench.floats(randomFloats(shape.rows * xStride, shape));
    assertSameBits(bench, { address: x, count: shape.rows * xStride }, (kernels) =>
      kernels.rope({ rows: shape.rows, heads, headDim, x, xStride, positions, cos, sin }),
    );
  });
});
