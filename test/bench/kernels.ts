/**
 * Prints what the kernels reach on this computer, beside the reference and beside loops as anyone would write them in
 * TypeScript. Implementations take turns within each round; the medians of the rounds are printed.
 */
import type { Kernels, WeightFormat } from '../../services/kernels/kernels.ts';
import { packedBytes, packPanels, paddedColumns } from '../../services/kernels/packing.ts';
import { createReferenceKernels } from '../../services/kernels/reference.ts';
import { createKernelMemory, createWasmKernels, MEMORY_BASE } from '../../services/kernels/wasm.ts';

const ROUNDS = 7;
const ROUND_MS = 15;
const memory = createKernelMemory(32 << 20, { shared: false });
const wasm = createWasmKernels(memory);
const reference = createReferenceKernels(memory.buffer);
let end = MEMORY_BASE;

interface Contest {
  readonly kernel: string;
  readonly shape: string;
  readonly format: string;
  readonly operations: number;
  readonly plain: () => void;
  readonly run: (kernels: Kernels) => void;
}

function reserve(bytes: number): number {
  const address = end;
  end += Math.ceil(bytes / 64) * 64;
  return address;
}

/** Floats in memory from a fixed sequence; their values do not matter, but none is subnormal. */
function floats(count: number): number {
  const address = reserve(4 * count);
  const view = new Float32Array(memory.buffer, address, count);
  for (let i = 0; i < count; i++) view[i] = ((i * 7919) % 2048) / 1024 - 1;
  return address;
}

function view(address: number, count: number): Float32Array {
  return new Float32Array(memory.buffer, address, count);
}

/** Calls per second, over about ROUND_MS. */
function rate(run: () => void): number {
  let calls = 0;
  const start = performance.now();
  let elapsedMs = 0;
  do {
    run();
    calls++;
    elapsedMs = performance.now() - start;
  } while (elapsedMs < ROUND_MS);
  return (calls / elapsedMs) * 1000;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

function report(contest: Contest): void {
  const runs = [contest.plain, () => contest.run(reference), () => contest.run(wasm)];
  const rates: number[][] = runs.map(() => []);
  for (const run of runs) rate(run);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, run] of runs.entries()) rates[index]!.push(rate(run));
  }
  const [plain, specified, fast] = rates.map((list) => (median(list) * contest.operations) / 1e9);
  const cells = [plain!, specified!, fast!, fast! / plain!].map((cell) =>
    cell.toFixed(2).padStart(9),
  );
  const label = contest.kernel.padEnd(10) + contest.shape.padEnd(18) + contest.format.padEnd(5);
  console.log(label + cells.join(''));
}

function matmulContest(
  rows: number,
  size: readonly [inner: number, columns: number],
  format: WeightFormat,
): Contest {
  end = MEMORY_BASE;
  const [inner, wanted] = size;
  const columns = paddedColumns(wanted);
  const source = view(floats(columns * inner), columns * inner);
  const packing = { columns, inner, format };
  const weights = reserve(packedBytes(packing));
  packPanels({ ...packing, source: source.slice(), target: memory.buffer, address: weights });
  const args = {
    ...{ rows, inner, columns, x: floats(rows * inner), xStride: inner, weights, format },
    ...{ out: floats(rows * columns), outStride: columns, rowScales: 0, columnScales: 0 },
  };
  const x = view(args.x, rows * inner).slice();
  const weight = source.slice();
  const out = new Float32Array(rows * columns);
  return {
    kernel: 'matmul',
    shape: `${rows} × ${inner}→${wanted}`,
    format,
    operations: 2 * rows * inner * wanted,
    plain: () => plainMatmul({ x, weight, out, rows, inner, columns }),
    run: (kernels) => kernels.matmul(args),
  };
}

function plainMatmul(args: {
  x: Float32Array; // [rows, inner]
  weight: Float32Array; // [columns, inner]
  out: Float32Array; // [rows, columns]
  rows: number;
  inner: number;
  columns: number;
}): void {
  const { x, weight, out, rows, inner, columns } = args;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += x[row * inner + k]! * weight[column * inner + k]!;
      out[row * columns + column] = sum;
    }
  }
}

/** Rows that attend over the same cache, as in decoding a batch. */
function attentionContest(rows: number, headDim: number): Contest {
  end = MEMORY_BASE;
  const context = 256;
  const blockSize = 16;
  const [heads, kvHeads] = [16, 8];
  const stride = heads * headDim;
  const cacheFloats = context * kvHeads * headDim;
  const keys = floats(cacheFloats);
  const values = floats(cacheFloats);
  const integers = (list: number[]) => {
    const address = reserve(4 * list.length);
    new Int32Array(memory.buffer, address, list.length).set(list);
    return address;
  };
  const table = integers(Array.from({ length: context / blockSize }, (_, block) => block));
  const args = {
    ...{ rows, heads, keys, values, kvHeads, headDim, blockSize },
    ...{ q: floats(rows * stride), qStride: stride, out: floats(rows * stride), outStride: stride },
    headMap: integers(Array.from({ length: heads }, (_, head) => head >> 1)),
    lengths: integers(new Array(rows).fill(context)),
    tables: integers(new Array(rows).fill(table)),
    scale: Math.fround(1 / Math.sqrt(headDim)),
    scores: floats(context),
  };
  const plain = {
    ...{ rows, heads, kvHeads, headDim, context, stride, scores: new Float32Array(context) },
    q: view(args.q, rows * stride).slice(),
    keys: view(keys, cacheFloats).slice(),
    values: view(values, cacheFloats).slice(),
    out: new Float32Array(rows * stride),
  };
  return {
    kernel: 'attention',
    shape: `${rows} × ${heads}·${headDim} @${context}`,
    format: 'f32',
    operations: 4 * rows * heads * headDim * context,
    plain: () => plainAttention(plain),
    run: (kernels) => kernels.attention(args),
  };
}

function plainAttention(args: {
  q: Float32Array; // [rows, heads, headDim]
  keys: Float32Array; // [context, kvHeads, headDim]
  values: Float32Array; // [context, kvHeads, headDim]
  out: Float32Array; // [rows, heads, headDim]
  scores: Float32Array; // [context]
  rows: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  context: number;
  stride: number;
}): void {
  const { q, keys, values, out, scores, headDim, context } = args;
  for (let row = 0; row < args.rows; row++) {
    for (let head = 0; head < args.heads; head++) {
      const at = row * args.stride + head * headDim;
      const kvHead = ((head * args.kvHeads) / args.heads) | 0;
      let maximum = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < context; j++) {
        const key = (j * args.kvHeads + kvHead) * headDim;
        let score = 0;
        for (let i = 0; i < headDim; i++) score += q[at + i]! * keys[key + i]!;
        scores[j] = score / Math.sqrt(headDim);
        maximum = Math.max(maximum, scores[j]!);
      }
      let sum = 0;
      for (let j = 0; j < context; j++) {
        scores[j] = Math.exp(scores[j]! - maximum);
        sum += scores[j]!;
      }
      out.fill(0, at, at + headDim);
      for (let j = 0; j < context; j++) {
        const value = (j * args.kvHeads + kvHead) * headDim;
        const weight = scores[j]! / sum;
        for (let i = 0; i < headDim; i++) out[at + i]! += weight * values[value + i]!;
      }
    }
  }
}

/** One operation per element, so the figures are billions of elements per second. */
function elementContests(rows: number, n: number): Contest[] {
  end = MEMORY_BASE;
  const count = rows * n;
  const x = floats(count);
  const other = floats(count);
  const out = floats(count);
  const scales = floats(rows);
  const plainX = view(x, count).slice();
  const plainOther = view(other, count).slice();
  const plainOut = new Float32Array(count);
  const rowsArgs = { rows, n, x, xStride: n, out, outStride: n };
  const quantize = { ...rowsArgs, scales };
  const norm = { ...rowsArgs, weight: other, epsilon: 1e-5 };
  const silu = { rows, n, gate: x, up: other, stride: n, out, outStride: n };
  const common = { shape: `${rows} × ${n}`, format: 'f32', operations: count };
  const activate = () => {
    for (let i = 0; i < count; i++) {
      plainOut[i] = (plainX[i]! / (1 + Math.exp(-plainX[i]!))) * plainOther[i]!;
    }
  };
  return [
    {
      ...{ ...common, kernel: 'quantize', plain: () => plainQuantize(plainX, plainOut, n) },
      run: (kernels) => kernels.quantizeE4M3(quantize),
    },
    {
      ...{ ...common, kernel: 'rmsNorm', plain: () => plainNorm(plainX, plainOut, n) },
      run: (kernels) => kernels.rmsNorm(norm),
    },
    {
      ...{ ...common, kernel: 'silu', plain: activate },
      run: (kernels) => kernels.siluMultiply(silu),
    },
  ];
}

/** To the nearest of eight steps per power of two. */
function plainQuantize(x: Float32Array, out: Float32Array, n: number): void {
  for (let start = 0; start < x.length; start += n) {
    let maximum = 0;
    for (let i = start; i < start + n; i++) maximum = Math.max(maximum, Math.abs(x[i]!));
    const scale = maximum / 448;
    for (let i = start; i < start + n; i++) {
      const value = x[i]! / scale;
      const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -6);
      const step = 2 ** (exponent - 3);
      out[i] = Math.round(value / step) * step;
    }
  }
}

function plainNorm(x: Float32Array, out: Float32Array, n: number): void {
  for (let start = 0; start < x.length; start += n) {
    let sum = 0;
    for (let i = start; i < start + n; i++) sum += x[i]! * x[i]!;
    const inverse = 1 / Math.sqrt(sum / n + 1e-5);
    for (let i = start; i < start + n; i++) out[i] = x[i]! * inverse * x[i - start]!;
  }
}

const SIZES: readonly (readonly [inner: number, columns: number])[] = [
  [256, 512],
  [256, 1408],
  [704, 256],
  [256, 2048],
  // One of eight chips.
  [256, 64],
  [256, 176],
  [88, 256],
  [256, 256],
];

console.log(`${'kernel'.padEnd(10)}${'shape'.padEnd(18)}fmt      plain     spec     WASM    ratio`);
console.log('(billions of operations per second; per element for quantize, rmsNorm and silu)');
for (const format of ['bf16', 'f32'] as const) {
  for (const rows of [1, 8, 64]) {
    for (const size of SIZES) report(matmulContest(rows, size, format));
  }
}
for (const headDim of [16, 64]) {
  for (const rows of [1, 8]) report(attentionContest(rows, headDim));
}
for (const rows of [1, 64]) for (const contest of elementContests(rows, 256)) report(contest);
