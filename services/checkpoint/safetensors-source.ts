import type { ModelConfig } from '../core/model/config.ts';
import type { TensorId, TensorSlice, TensorSource } from '../core/model/tensors.ts';
import { assert, ModelError } from '../core/support/errors.ts';
import { describeValue } from '../core/support/fields.ts';
import { FLOAT_DTYPE_BYTES, isFloatDtype } from '../core/support/float-decoding.ts';
import { hfTensorName } from './hf-names.ts';
import type { SafetensorsEntry } from './safetensors-header.ts';
import { checkFinite, readSlice, type StoredMatrix } from './stored-matrix.ts';
import { listTensors, storedTensor, tensorShape } from './tensor-table.ts';

interface ScaledMatrix {
  readonly matrix: StoredMatrix;
  /** Factors of an F8 matrix, [rows, 1] or [1, 1]. */
  readonly scale: StoredMatrix | undefined;
}

/** The weights of a Hugging Face checkpoint. */
export class SafetensorsSource implements TensorSource {
  readonly #config: ModelConfig;
  readonly #matrices = new Map<string, ScaledMatrix>();

  /** Checks every tensor that the config asks for: presence, element type, shape and size. */
  constructor(config: ModelConfig, entries: ReadonlyMap<string, SafetensorsEntry>) {
    this.#config = config;
    for (const tensor of listTensors(config)) {
      const name = hfTensorName(tensor);
      const [rows, columns] = tensorShape(config, tensor.kind);
      const shape = rows === 1 ? [columns] : [rows, columns];
      const matrix = bindMatrix(findEntry(entries, name), [shape, [rows, columns]]);
      this.#matrices.set(name, { matrix, scale: bindScale(entries, matrix) });
    }
  }

  read(tensor: TensorId, slice: TensorSlice): Float32Array {
    const name = hfTensorName(storedTensor(this.#config, tensor));
    const stored = this.#matrices.get(name);
    assert(stored !== undefined, `no tensor ${name}`);
    const values = readSlice(stored.matrix, slice);
    if (stored.scale !== undefined) applyScale(values, stored.scale, slice);
    checkFinite(name, values);
    return values;
  }
}

function findEntry(entries: ReadonlyMap<string, SafetensorsEntry>, name: string): SafetensorsEntry {
  const entry = entries.get(name);
  if (entry === undefined) throw new ModelError(`tensor ${name} is missing from the checkpoint`);
  return entry;
}

/** Checks an entry against the shapes that it may have, each of one or two dimensions. */
function bindMatrix(entry: SafetensorsEntry, shapes: readonly (readonly number[])[]): StoredMatrix {
  const { name, file, dtype, position, byteCount } = entry;
  if (!isFloatDtype(dtype)) {
    throw new ModelError(
      `tensor ${name} must have the dtype ${Object.keys(FLOAT_DTYPE_BYTES).join(', ')}, not ${describeValue(dtype)}`,
    );
  }
  const shape = shapes.find((candidate) => isShape(entry.shape, candidate));
  if (shape === undefined) {
    throw new ModelError(
      `tensor ${name} must have the shape ${describeValue(shapes[0])}, not ${describeValue(entry.shape)}`,
    );
  }
  const rows = shape.length === 2 ? shape[0]! : 1;
  const columns = shape.at(-1) ?? 1;
  const expectedBytes = rows * columns * FLOAT_DTYPE_BYTES[dtype];
  if (byteCount !== expectedBytes) {
    throw new ModelError(
      `tensor ${name} must span ${expectedBytes} bytes for its shape, and its data_offsets span ${byteCount}`,
    );
  }
  return { name, file, position, dtype, rows, columns };
}

function isShape(value: unknown, expected: readonly number[]): boolean {
  return (
    Array.isArray(value) &&
    value.length === expected.length &&
    expected.every((size, index) => value[index] === size)
  );
}

/**
 * F8 weights carry factors in a companion tensor, one for all or one for each row; plain casts have
 * none.
 */
function bindScale(
  entries: ReadonlyMap<string, SafetensorsEntry>,
  matrix: StoredMatrix,
): StoredMatrix | undefined {
  if (matrix.dtype !== 'F8_E4M3') return undefined;
  if (entries.has(`${matrix.name}_scale_inv`)) {
    throw new ModelError(
      `tensor ${matrix.name} must be scaled by ${matrix.name}_scale: the block scales of ${matrix.name}_scale_inv are not supported`,
    );
  }
  const entry = entries.get(`${matrix.name}_scale`);
  if (entry === undefined) return undefined;
  const { rows } = matrix;
  const stored = bindMatrix(entry, [[rows, 1], [rows], [1, 1], [1], []]);
  return { ...stored, rows: stored.rows * stored.columns, columns: 1 };
}

function applyScale(values: Float32Array, scale: StoredMatrix, slice: TensorSlice): void {
  const { rowStart, rowEnd, columnStart, columnEnd } = slice;
  const rows = scale.rows === 1 ? { rowStart: 0, rowEnd: 1 } : { rowStart, rowEnd };
  const factors = readSlice(scale, { ...rows, columnStart: 0, columnEnd: 1 });
  checkFinite(scale.name, factors);
  const width = columnEnd - columnStart;
  for (let row = 0; row < rowEnd - rowStart; row++) {
    const factor = factors[scale.rows === 1 ? 0 : row]!;
    for (let i = row * width; i < (row + 1) * width; i++) values[i]! *= factor;
  }
}
