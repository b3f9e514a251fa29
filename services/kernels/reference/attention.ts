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
  const q = args.q / 4 + query.row * args.qStride + query.head * args.headDim;
  const out = args.out / 4 + query.row * args.outStride + query.head * args.headDim;
  const { keys, values } = locate(views, args, query);
  let maximum = Number.NEGATIVE_INFINITY;
  for (const [j, key] of keys.entries()) {
    const score = scoreKey(floats, args, { q, key });
    floats[scores + j] = score;
    if (score > maximum) maximum = score;
  }
  const lanes = new Float32Array(4);
  for (let j = 0; j < keys.length; j++) {
    const weight = expF32(Math.fround(floats[scores + j]! - maximum));
    floats[scores + j] = weight;
    lanes[j % 4] = lanes[j % 4]! + weight;
  }
  const denominator = addLanes(lanes);
  for (let i = 0; i < args.headDim; i++) {
    let sum = 0;
    for (let j = 0; j < values.length; j++) {
      sum = Math.fround(sum + Math.fround(floats[scores + j]! * floats[values[j]! + i]!));
    }
    floats[out + i] = sum / denominator;
  }
}

/** (q · key) · scale. */
function scoreKey(
  floats: Float32Array,
  args: AttentionArgs,
  at: { readonly q: number; readonly key: number },
): number {
  let sum = 0;
  for (let i = 0; i < args.headDim; i++) {
    sum = Math.fround(sum + Math.fround(floats[at.q + i]! * floats[at.key + i * args.blockSize]!));
  }
  return Math.fround(sum * Math.fround(args.scale));
}

/**
 * Where the keys and values of a query's row begin; a key's elements are blockSize apart, a value's
 * side by side.
 */
function locate(
  { integers, words }: MemoryViews,
  args: AttentionArgs,
  query: Query,
): { readonly keys: Uint32Array; readonly values: Uint32Array } {
  const { kvHeads, headDim, blockSize } = args;
  const length = integers[args.lengths / 4 + query.row]!;
  const table = words[args.tables / 4 + query.row]! / 4;
  const kvHead = integers[args.headMap / 4 + query.head]!;
  const keys = new Uint32Array(length);
  const values = new Uint32Array(length);
  for (let j = 0; j < length; j++) {
    const block = integers[table + Math.floor(j / blockSize)]!;
    const start = (block * kvHeads + kvHead) * headDim * blockSize;
    keys[j] = args.keys / 4 + start + (j % blockSize);
    values[j] = args.values / 4 + start + (j % blockSize) * headDim;
  }
  return { keys, values };
}
