import { expF32 } from '../../core/support/math.ts';
import type { AttentionArgs } from '../kernels.ts';
import { addLanes } from './rows.ts';
import type { MemoryViews } from './views.ts';

export function attention(views: MemoryViews, args: AttentionArgs): void {
  for (let row = 0; row < args.rows; row++) {
    for (let head = 0; head < args.heads; head++) attendHead(views, args, { row, head });
  }
}

/** One query head of one row. */
interface Query {
  readonly row: number;
  readonly head: number;
}

function attendHead(views: MemoryViews, args: AttentionArgs, query: Query): void {
  const { floats } = views;
  const scores = args.scores / 4;
  const length = views.integers[args.lengths / 4 + query.row]!;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < length; j++) {
    const score = scoreKey(views, args, { ...query, j });
    floats[scores + j] = score;
    if (score > maximum) maximum = score;
  }
  const lanes = new Float32Array(4);
  for (let j = 0; j < length; j++) {
    const weight = expF32(Math.fround(floats[scores + j]! - maximum));
    floats[scores + j] = weight;
    lanes[j % 4] = lanes[j % 4]! + weight;
  }
  const denominator = addLanes(lanes);
  const out = args.out / 4 + query.row * args.outStride + query.head * args.headDim;
  for (let i = 0; i < args.headDim; i++) {
    let sum = 0;
    for (let j = 0; j < length; j++) {
      const value = floats[headStart(views, args, { ...query, j }).value + i]!;
      sum = Math.fround(sum + Math.fround(floats[scores + j]! * value));
    }
    floats[out + i] = sum / denominator;
  }
}

/** (q · key j) · scale. */
function scoreKey(views: MemoryViews, args: AttentionArgs, at: Query & { j: number }): number {
  const { floats } = views;
  const q = args.q / 4 + at.row * args.qStride + at.head * args.headDim;
  const { key } = headStart(views, args, at);
  let sum = 0;
  for (let i = 0; i < args.headDim; i++) {
    sum = Math.fround(sum + Math.fround(floats[q + i]! * floats[key + i * args.blockSize]!));
  }
  return Math.fround(sum * Math.fround(args.scale));
}

/** Where key and value j of a query's row begin; the key's elements are blockSize apart. */
function headStart(
  { integers, words }: MemoryViews,
  args: AttentionArgs,
  at: Query & { j: number },
): { readonly key: number; readonly value: number } {
  const { kvHeads, headDim, blockSize } = args;
  const table = words[args.tables / 4 + at.row]! / 4;
  const block = integers[table + Math.floor(at.j / blockSize)]!;
  const start = (block * kvHeads + integers[args.headMap / 4 + at.head]!) * headDim * blockSize;
  const offset = at.j % blockSize;
  return { key: args.keys / 4 + start + offset, value: args.values / 4 + start + offset * headDim };
}
