import type { Range } from '../model/shard-plan.ts';
import type { MissingChunk, Receipt } from './frame.ts';

/**
 * Payload of a full chunk. The NATS client and server are fastest at 16 to 32 KiB; a power of two
 * lets the slices of common batches travel in one chunk.
 */
export const CHUNK_BYTES = 32_768;

/** The bytes of a range of floats, as a view. */
export function bytesOf(floats: Float32Array, range: Range): Uint8Array {
  const { start, end } = range;
  return new Uint8Array(floats.buffer, floats.byteOffset + 4 * start, 4 * (end - start));
}

/** All bytes of floats, as a view. */
export function wholeBytes(floats: Float32Array): Uint8Array {
  return bytesOf(floats, { start: 0, end: floats.length });
}

export function countChunks(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / CHUNK_BYTES));
}

/** A chunk of `data`, as a view. */
export function chunkOf(data: Uint8Array, chunk: number): Uint8Array {
  return data.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
}

/** Puts the chunks of one sender together, in whatever order and however often they come. */
export class ChunkAssembly {
  readonly #target: Uint8Array;
  readonly #received: boolean[];
  #missing: number;

  constructor(target: Uint8Array) {
    this.#target = target;
    this.#missing = countChunks(target.length);
    this.#received = new Array<boolean>(this.#missing).fill(false);
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  receive(chunk: number, payload: Uint8Array): Receipt {
    if (!(chunk >= 0 && chunk < this.#received.length)) return 'invalid';
    if (this.#received[chunk]) return 'duplicate';
    const place = chunkOf(this.#target, chunk);
    if (place.length !== payload.length) return 'invalid';
    place.set(payload);
    this.#received[chunk] = true;
    this.#missing--;
    return 'accepted';
  }

  /** What has not come from `source` yet. */
  missingFrom(source: number, kind: 'partial' | 'result'): MissingChunk[] {
    return this.#received.flatMap((received, chunk) => (received ? [] : [{ source, kind, chunk }]));
  }
}
