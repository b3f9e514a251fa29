import type { TensorSlice } from '../core/model/tensors.ts';
import { assert, ModelError } from '../core/support/errors.ts';
import {
  decodeFloats,
  FLOAT_DTYPE_BYTES,
  type FloatDtype,
} from '../core/support/float-decoding.ts';
import type { ByteFile } from './byte-file.ts';

/** A row-major matrix in a file. */
export interface StoredMatrix {
  /** The tensor's name, for errors. */
  readonly name: string;
  readonly file: ByteFile;
  readonly position: number;
  readonly dtype: FloatDtype;
  readonly rows: number;
  readonly columns: number;
}

/** Evenly spaced rows of a matrix, cut to some columns. */
export interface RowSelection {
  readonly firstRow: number;
  readonly rowStep: number;
  readonly count: number;
  readonly columnStart: number;
  readonly columnEnd: number;
}

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Fails the program where a slice lies outside its matrix. */
export function checkSlice(matrix: StoredMatrix, slice: TensorSlice): void {
  const { rowStart, rowEnd, columnStart, columnEnd } = slice;
  const rowsFit = 0 <= rowStart && rowStart <= rowEnd && rowEnd <= matrix.rows;
  const columnsFit = 0 <= columnStart && columnStart <= columnEnd && columnEnd <= matrix.columns;
  assert(rowsFit && columnsFit, `slice ${JSON.stringify(slice)} of ${matrix.name}`);
}

/** Reads a rectangle as f32, row-major. */
export function readSlice(matrix: StoredMatrix, slice: TensorSlice): Float32Array {
  checkSlice(matrix, slice);
  const { rowStart, rowEnd, columnStart, columnEnd } = slice;
  const count = rowEnd - rowStart;
  const target = new Float32Array(count * (columnEnd - columnStart));
  readRows(matrix, { firstRow: rowStart, rowStep: 1, count, columnStart, columnEnd }, target);
  return target;
}

/**
 * Reads rows into `target`, [count, columnEnd − columnStart], holding a few megabytes of the file
 * at a time.
 */
export function readRows(
  matrix: StoredMatrix,
  selection: RowSelection,
  target: Float32Array,
): void {
  const { firstRow, rowStep, count, columnStart, columnEnd } = selection;
  const elementBytes = FLOAT_DTYPE_BYTES[matrix.dtype];
  const width = columnEnd - columnStart;
  const runBytes = width * elementBytes;
  if (runBytes === 0) return;
  const rowsPerChunk = Math.max(1, Math.floor(CHUNK_BYTES / runBytes));
  for (let row = 0; row < count; row += rowsPerChunk) {
    const rows = Math.min(rowsPerChunk, count - row);
    const element = (firstRow + row * rowStep) * matrix.columns + columnStart;
    const bytes = matrix.file.readRuns({
      position: matrix.position + element * elementBytes,
      count: rows,
      runBytes,
      strideBytes: rowStep * matrix.columns * elementBytes,
    });
    decodeFloats(matrix.dtype, bytes, target.subarray(row * width, (row + rows) * width));
  }
}

/** Refuses NaN and infinity, which no arithmetic survives. */
export function checkFinite(name: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new ModelError(`tensor ${name} must hold finite numbers only, not ${values[i]}`);
    }
  }
}
