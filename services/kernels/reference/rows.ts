import { expF32 } from '../../core/support/math.ts';
import { E4M3_MAX, roundToBf16, roundToE4M3 } from '../../core/support/rounding.ts';
import type { AddArgs, Kernels, RowsArgs, SiluMultiplyArgs } from '../kernels.ts';
import type { MemoryViews } from './views.ts';

const LANES = 16;

export function quantizeE4M3(
  { floats }: MemoryViews,
  args: Parameters<Kernels['quantizeE4M3']>[0],
): void {
  for (let row = 0; row < args.rows; row++) {
    const x = args.x / 4 + row * args.xStride;
    const out = args.out / 4 + row * args.outStride;
    const scale = e4m3Scale(floats, { start: x, count: args.n });
    floats[args.scales / 4 + row] = scale;
    for (let i = 0; i < args.n; i++) {
      floats[out + i] = roundToE4M3(Math.fround(floats[x + i]! / scale));
    }
  }
}

/** The scale that maps the largest magnitude to the largest E4M3 value; 1 where it would be 0. */
export function e4m3Scale(
  floats: Float32Array,
  range: { readonly start: number; readonly count: number },
): number {
  let maximum = 0;
  for (let i = range.start; i < range.start + range.count; i++) {
    const magnitude = Math.abs(floats[i]!);
    if (magnitude > maximum) maximum = magnitude;
  }
  const scale = Math.fround(maximum / E4M3_MAX);
  return scale === 0 ? 1 : scale;
}

export function roundBf16({ floats }: MemoryViews, args: RowsArgs): void {
  for (let row = 0; row < args.rows; row++) {
    const x = args.x / 4 + row * args.xStride;
    const out = args.out / 4 + row * args.outStride;
    for (let i = 0; i < args.n; i++) floats[out + i] = roundToBf16(floats[x + i]!);
  }
}

export function rmsNorm({ floats }: MemoryViews, args: Parameters<Kernels['rmsNorm']>[0]): void {
  const weight = args.weight / 4;
  const epsilon = Math.fround(args.epsilon);
  for (let row = 0; row < args.rows; row++) {
    const x = args.x / 4 + row * args.xStride;
    const out = args.out / 4 + row * args.outStride;
    const mean = Math.fround(sumOfSquares(floats, { start: x, count: args.n }) / args.n);
    const inverse = Math.fround(1 / Math.fround(Math.sqrt(Math.fround(mean + epsilon))));
    for (let i = 0; i < args.n; i++) {
      floats[out + i] = Math.fround(floats[x + i]! * inverse) * floats[weight + i]!;
    }
  }
}

function sumOfSquares(
  floats: Float32Array,
  range: { readonly start: number; readonly count: number },
): number {
  const lanes = new Float32Array(LANES);
  for (let i = 0; i < range.count; i++) {
    const x = floats[range.start + i]!;
    lanes[i % LANES] = lanes[i % LANES]! + Math.fround(x * x);
  }
  const folded = new Float32Array(4);
  for (let lane = 0; lane < 4; lane++) {
    folded[lane] =
      Math.fround(lanes[lane]! + lanes[lane + 4]!) +
      Math.fround(lanes[lane + 8]! + lanes[lane + 12]!);
  }
  return addLanes(folded);
}

/** (l0 + l1) + (l2 + l3) in f32. */
export function addLanes(lanes: Float32Array): number {
  return Math.fround(Math.fround(lanes[0]! + lanes[1]!) + Math.fround(lanes[2]! + lanes[3]!));
}

export function siluMultiply({ floats }: MemoryViews, args: SiluMultiplyArgs): void {
  for (let row = 0; row < args.rows; row++) {
    const gates = args.gate / 4 + row * args.stride;
    const ups = args.up / 4 + row * args.stride;
    const out = args.out / 4 + row * args.outStride;
    for (let i = 0; i < args.n; i++) {
      const gate = floats[gates + i]!;
      floats[out + i] = Math.fround(gate / Math.fround(1 + expF32(-gate))) * floats[ups + i]!;
    }
  }
}

export function add({ floats }: MemoryViews, args: AddArgs): void {
  for (let i = 0; i < args.count; i++) {
    floats[args.out / 4 + i] = floats[args.a / 4 + i]! + floats[args.b / 4 + i]!;
  }
}
