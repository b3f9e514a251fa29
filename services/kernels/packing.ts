import { bf16Bits } from '../core/support/rounding.ts';
import type { WeightFormat } from './kernels.ts';

/** Output columns per panel; a panel's weights of one k lie side by side. */
export const PANEL_WIDTH = 8;

const BYTES_PER_WEIGHT: Readonly<Record<WeightFormat, number>> = { f32: 4, bf16: 2 };

export interface PackedShape {
  readonly inner: number;
  readonly columns: number;
  readonly format: WeightFormat;
}

export interface PackPanelsArgs extends PackedShape {
  readonly source: Float32Array; // [columns, inner]; for bf16 already rounded
  readonly target: ArrayBufferLike;
  readonly address: number; // divisible by 16
}

/** Columns after padding to whole panels. */
export function paddedColumns(columns: number): number {
  return Math.ceil(columns / PANEL_WIDTH) * PANEL_WIDTH;
}

/** Bytes that packPanels writes. */
export function packedBytes(shape: PackedShape): number {
  return paddedColumns(shape.columns) * shape.inner * BYTES_PER_WEIGHT[shape.format];
}

/**
 * Where a column's weight of k = 0 lies among the packed weights; each further k lies PANEL_WIDTH
 * later. In bf16 the columns c and c + 4 of a panel are neighbours, so that one word holds both and
 * a shift or a mask widens it.
 */
export function packedStart(column: number, shape: Omit<PackedShape, 'columns'>): number {
  const lane = column % PANEL_WIDTH;
  const position = shape.format === 'f32' ? lane : 2 * (lane % 4) + Math.floor(lane / 4);
  return (column - lane) * shape.inner + position;
}

/**
 * Writes weights as [panels, inner, PANEL_WIDTH], the order in which matmul reads them; missing
 * columns are zero.
 */
export function packPanels(args: PackPanelsArgs): void {
  const { source, columns, inner, format, target, address } = args;
  const count = paddedColumns(columns) * inner;
  const packed =
    format === 'f32'
      ? new Float32Array(target, address, count)
      : new Uint16Array(target, address, count);
  const encode = format === 'f32' ? (weight: number) => weight : bf16Bits;
  packed.fill(0);
  for (let column = 0; column < columns; column++) {
    const to = packedStart(column, args);
    for (let k = 0; k < inner; k++) {
      packed[to + k * PANEL_WIDTH] = encode(source[column * inner + k]!);
    }
  }
}
