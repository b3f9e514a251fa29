import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { ModelError } from '../core/support/errors.ts';

/** `count` runs of bytes at equal distances. */
export interface ByteRuns {
  readonly position: number;
  readonly count: number;
  readonly runBytes: number;
  readonly strideBytes: number;
}

/** Skipping a gap costs a system call; below this size copying the gap is cheaper. */
const MAX_COALESCED_GAP_BYTES = 16 * 1024;
const MAX_COALESCED_READ_BYTES = 1024 * 1024;

/** A file that is read by byte ranges, synchronously. */
export class ByteFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = openRegularFile(path);
    this.sizeBytes = fstatSync(this.#descriptor).size;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  read(position: number, byteCount: number): Uint8Array {
    const target = new Uint8Array(byteCount);
    this.#readInto(target, position);
    return target;
  }

  /**
   * Reads runs packed one behind the other, with few system calls where they lie close together.
   */
  readRuns(runs: ByteRuns): Uint8Array {
    const { position, count, runBytes, strideBytes } = runs;
    if (count <= 1 || runBytes === strideBytes) return this.read(position, count * runBytes);
    const target = new Uint8Array(count * runBytes);
    const coalesce = strideBytes - runBytes <= MAX_COALESCED_GAP_BYTES;
    const perRead = coalesce ? Math.max(1, Math.floor(MAX_COALESCED_READ_BYTES / strideBytes)) : 1;
    for (let run = 0; run < count; run += perRead) {
      const inRead = Math.min(perRead, count - run);
      const span = this.read(position + run * strideBytes, (inRead - 1) * strideBytes + runBytes);
      for (let i = 0; i < inRead; i++) {
        const start = i * strideBytes;
        target.set(span.subarray(start, start + runBytes), (run + i) * runBytes);
      }
    }
    return target;
  }

  #readInto(target: Uint8Array, position: number): void {
    let done = 0;
    while (done < target.length) {
      const bytes = readSync(this.#descriptor, target, done, target.length - done, position + done);
      if (bytes === 0) {
        throw new ModelError(`${this.path} ends before byte ${position + target.length}`);
      }
      done += bytes;
    }
  }
}

/** Looks before it opens, because opening a pipe waits for a writer. */
function openRegularFile(path: string): number {
  try {
    if (statSync(path).isFile()) return openSync(path, 'r');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`${path} cannot be opened: ${reason}`, { cause });
  }
  throw new ModelError(`${path} must be a file`);
}
