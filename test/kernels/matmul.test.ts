import { test } from 'node:test';
import fc from 'fast-check';
import { roundToBf16 } from '../../services/core/support/rounding.ts';
import type { MatmulArgs } from '../../services/kernels/kernels.ts';
import { packedBytes, packPanels, paddedColumns } from '../../services/kernels/packing.ts';
import { assertEqualBits, assertSameBits, Bench, randomFloats, seed, wildness } from './support.ts';

const bench = new Bench();

const cases = fc.record({
  rows: fc.integer({ min: 1, max: 70 }),
  inner: fc.integer({ min: 1, max: 90 }),
  columns: fc.integer({ min: 1, max: 90 }),
  format: fc.constantFrom('f32' as const, 'bf16' as const),
  rowScaled: fc.boolean(),
  columnScaled: fc.boolean(),
  gap: fc.integer({ min: 0, max: 5 }),
  wildness,
  seed,
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Lays the case out in memory and returns the call. */
function prepare(shape: Case): MatmulArgs {
  bench.reset();
  const { rows, inner, format, gap } = shape;
  const columns = paddedColumns(shape.columns);
  const source = randomFloats(shape.columns * inner, shape);
  const rounded = format === 'bf16' ? source.map(roundToBf16) : source;
  const packing = { inner, columns: shape.columns, format };
  const weights = bench.reserve(packedBytes(packing));
  packPanels({ ...packing, source: rounded, target: bench.bytes, address: weights });
  const xStride = inner + gap;
  const outStride = columns + gap;
  const scales = { seed: shape.seed + 2, wildness: 'tame' as const };
  return {
    rows,
    inner,
    columns,
    x: bench.floats(randomFloats(rows * xStride, { ...shape, seed: shape.seed + 1 })),
    xStride,
    weights,
    format,
    out: bench.area(rows * outStride),
    outStride,
    rowScales: shape.rowScaled ? bench.floats(randomFloats(rows, scales)) : 0,
    columnScales: shape.columnScaled ? bench.floats(randomFloats(columns, scales)) : 0,
  };
}

test('matmul in WebAssembly equals the reference bit for bit', () => {
  fc.assert(
    fc.property(cases, (shape) => {
      const args = prepare(shape);
      const area = { address: args.out, count: args.rows * args.outStride };
      assertSameBits(bench, area, (kernels) => kernels.matmul(args));
    }),
    { numRuns: 300 },
  );
});

test('rows computed together equal rows computed alone', () => {
  fc.assert(
    fc.property(cases, (shape) => {
      const args = prepare(shape);
      const view = bench.view(args.out, args.rows * args.outStride);
      bench.wasm.matmul(args);
      const together = view.slice();
      view.fill(-12345);
      for (let row = 0; row < args.rows; row++) {
        bench.wasm.matmul({
          ...args,
          rows: 1,
          x: args.x + 4 * row * args.xStride,
          out: args.out + 4 * row * args.outStride,
          rowScales: args.rowScales === 0 ? 0 : args.rowScales + 4 * row,
        });
      }
      assertEqualBits(view, together);
    }),
  );
});

test('packed weights multiply as the unpacked matrix does', () => {
  fc.assert(
    fc.property(cases, (shape) => {
      const plain = { ...shape, rowScaled: false, columnScaled: false, wildness: 'tame' as const };
      const args = prepare(plain);
      const weights = randomFloats(shape.columns * shape.inner, plain);
      const source = shape.format === 'bf16' ? weights.map(roundToBf16) : weights;
      bench.wasm.matmul(args);
      const row = shape.rows - 1;
      const x = bench.view(args.x + 4 * row * args.xStride, shape.inner);
      const expected = new Float32Array(args.columns);
      for (let column = 0; column < shape.columns; column++) {
        let sum = 0;
        for (let k = 0; k < shape.inner; k++) {
          sum = Math.fround(sum + Math.fround(x[k]! * source[column * shape.inner + k]!));
        }
        expected[column] = sum;
      }
      assertEqualBits(bench.view(args.out + 4 * row * args.outStride, args.columns), expected);
    }),
  );
});
