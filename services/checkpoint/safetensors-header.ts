import { ModelError } from '../core/support/errors.ts';
import { describeValue, isFields } from '../core/support/fields.ts';
import type { ByteFile } from './byte-file.ts';
import { parseJson } from './json-file.ts';

/**
 * A tensor as a safetensors header announces it; the range lies inside the file, the rest is
 * unchecked.
 */
export interface SafetensorsEntry {
  readonly name: string;
  readonly file: ByteFile;
  readonly dtype: unknown;
  readonly shape: unknown;
  /** From the start of the file. */
  readonly position: number;
  readonly byteCount: number;
}

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000; // the limit of the format's own library

/** Reads which tensors a safetensors file holds and where. */
export function readSafetensorsHeader(file: ByteFile): Map<string, SafetensorsEntry> {
  const headerBytes = readHeaderLength(file);
  const where = `the header of ${file.path}`;
  const header = parseJson(file.read(LENGTH_BYTES, headerBytes), where);
  if (!isFields(header)) {
    throw new ModelError(`${where} must be a JSON object, not ${describeValue(header)}`);
  }
  const dataStart = LENGTH_BYTES + headerBytes;
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => parseEntry({ name, value, file, dataStart }));
  checkOverlaps(entries);
  return new Map(entries.map((entry) => [entry.name, entry]));
}

function readHeaderLength(file: ByteFile): number {
  if (file.sizeBytes < LENGTH_BYTES) {
    throw new ModelError(
      `${file.path} must start with the ${LENGTH_BYTES}-byte length of its header, and has ${file.sizeBytes} bytes`,
    );
  }
  const length = file.read(0, LENGTH_BYTES);
  const headerBytes = new DataView(length.buffer).getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, file.sizeBytes - LENGTH_BYTES);
  if (headerBytes > limit) {
    throw new ModelError(
      `the header of ${file.path} must be at most ${limit} bytes long, not ${headerBytes}`,
    );
  }
  return Number(headerBytes);
}

function parseEntry(source: {
  readonly name: string;
  readonly value: unknown;
  readonly file: ByteFile;
  readonly dataStart: number;
}): SafetensorsEntry {
  const { name, value, file, dataStart } = source;
  const offsets: unknown = isFields(value) ? value.data_offsets : undefined;
  const [start, end]: unknown[] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  const dataBytes = file.sizeBytes - dataStart;
  if (!isFields(value) || !isOffset(start) || !isOffset(end) || start > end || end > dataBytes) {
    throw new ModelError(
      `tensor ${name} must lie within the ${dataBytes} data bytes of ${file.path}, and its data_offsets are ${describeValue(offsets)}`,
    );
  }
  const { dtype, shape } = value;
  return { name, file, dtype, shape, position: dataStart + start, byteCount: end - start };
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function checkOverlaps(entries: readonly SafetensorsEntry[]): void {
  const ordered = entries
    .filter((entry) => entry.byteCount > 0)
    .sort((a, b) => a.position - b.position);
  ordered.forEach((entry, index) => {
    const before = ordered[index - 1];
    if (before !== undefined && entry.position < before.position + before.byteCount) {
      throw new ModelError(
        `tensor ${entry.name} must not share bytes of ${entry.file.path} with tensor ${before.name}`,
      );
    }
  });
}
