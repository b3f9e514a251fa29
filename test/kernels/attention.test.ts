import { test } from 'node:test';
import fc from 'fast-check';
import type { AttentionArgs, Kernels, StoreKvArgs } from '../../services/kernels/kernels.ts';
import {
  assertEqualBits,
  assertSameBits,
  Bench,
  randomFloats,
  randomWords,
  seed,
} from './support.ts';

const bench = new Bench();

const cases = fc.record({
  /** Tokens of the sequence; the last `rows` of them are queries. */
  tokens: fc.integer({ min: 1, max: 90 }),
  queries: fc.integer({ min: 1, max: 20 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  heads: fc.integer({ min: 1, max: 5 }),
  headDim: fc.constantFrom(4, 8, 12, 16, 32, 36, 64),
  blockSize: fc.constantFrom<number>(4, 8, 12, 16, 32),
  format: fc.constantFrom('f32' as const, 'bf16' as const, 'fp8' as const),
  gap: fc.integer({ min: 0, max: 5 }),
  wildness: fc.constantFrom('tame' as const, 'wide' as const),
  seed,
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** A sequence in a paged cache with shuffled blocks: the call that stores it and the call that attends over it. */
function prepare(shape: Case) {
  bench.reset();
  const { tokens, kvHeads, headDim, blockSize, heads, gap } = shape;
  const blocks = Math.ceil(tokens / blockSize);
  const table = shuffled(blocks, shape.seed);
  const cacheFloats = blocks * kvHeads * headDim * blockSize;
  const keys = bench.area(cacheFloats);
  const values = bench.area(cacheFloats);
  const cache = { keys, values, kvHeads, headDim, blockSize };
  const stride = kvHeads * headDim + gap;
  const random = (count: number, salt: number) =>
    bench.floats(randomFloats(count, { ...shape, seed: shape.seed + salt }));
  const slots = Array.from(
    { length: tokens },
    (_, token) => table[Math.floor(token / blockSize)]! * blockSize + (token % blockSize),
  );
  const store: StoreKvArgs = {
    ...cache,
    rows: tokens,
    k: random(tokens * stride, 1),
    v: random(tokens * stride, 2),
    stride,
    slots: bench.integers(slots),
    format: shape.format,
  };
  const rows = Math.min(shape.queries, tokens);
  const lengths = Array.from({ length: rows }, (_, row) => tokens - rows + row + 1);
  const qStride = heads * headDim + gap;
  const headMap = Array.from({ length: heads }, (_, head) => ((head * kvHeads) / heads) | 0);
  const tableAddress = bench.integers(table);
  const attend: AttentionArgs = {
    ...cache,
    rows,
    heads,
    q: random(rows * qStride, 3),
    qStride,
    headMap: bench.integers(headMap),
    lengths: bench.integers(lengths),
    tables: bench.integers(new Array(rows).fill(tableAddress)),
    scale: Math.fround(1 / Math.sqrt(headDim)),
    scores: bench.area(blocks * blockSize),
    out: bench.area(rows * qStride),
    outStride: qStride,
  };
  return {
    store,
    attend,
    cacheArea: { address: keys, count: (values - keys) / 4 + cacheFloats },
    outArea: { address: attend.out, count: rows * qStride },
  };
}

function shuffled(count: number, start: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  const next = randomWords(start);
  for (let i = count - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Attention's output after storing the whole sequence at once. */
function storeAndAttend(shape: Case, kernels: Kernels): Float32Array {
  const { store, attend, outArea } = prepare(shape);
  kernels.storeKv(store);
  kernels.attention(attend);
  return bench.view(outArea.address, outArea.count).slice();
}

test('storeKv in WebAssembly equals the reference bit for bit', () => {
  fc.assert(
    fc.property(cases, (shape) => {
      const { store, cacheArea } = prepare(shape);
      assertSameBits(bench, cacheArea, (kernels) => kernels.storeKv(store));
    }),
    { numRuns: 200 },
  );
});

test('attention in WebAssembly equals the reference bit for bit', () => {
  fc.assert(
    fc.property(cases, (shape) => {
      const { store, attend, outArea } = prepare(shape);
      bench.wasm.storeKv(store);
      assertSameBits(bench, outArea, (kernels) => kernels.attention(attend));
    }),
    { numRuns: 300 },
  );
});

test('attention does not depend on the block size', () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(4, 8, 20, 48), (shape, blockSize) => {
      const expected = storeAndAttend(shape, bench.wasm);
      assertEqualBits(storeAndAttend({ ...shape, blockSize }, bench.wasm), expected);
    }),
  );
});

test('storing and attending many rows at once equals one by one', () => {
  fc.assert(
    fc.property(cases, (shape) => {
      const expected = storeAndAttend(shape, bench.wasm);
      const { store, attend, outArea } = prepare(shape);
      for (let token = 0; token < shape.tokens; token++) {
        const from = 4 * token * store.stride;
        bench.wasm.storeKv({
          ...store,
          rows: 1,
          k: store.k + from,
          v: store.v + from,
          slots: store.slots + 4 * token,
        });
        const row = token - (shape.tokens - attend.rows);
        if (row < 0) continue;
        bench.wasm.attention({
          ...attend,
          rows: 1,
          q: attend.q + 4 * row * attend.qStride,
          lengths: attend.lengths + 4 * row,
          tables: attend.tables + 4 * row,
          out: attend.out + 4 * row * attend.outStride,
        });
      }
      assertEqualBits(bench.view(outArea.address, outArea.count), expected);
    }),
  );
});
