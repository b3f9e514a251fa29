import type { Range } from '../model/shard-plan.ts';
import { bytesOf, ChunkAssembly, chunkOf, countChunks } from './chunks.ts';
import type {
  Destination,
  Exchange,
  MissingChunk,
  Outgoing,
  Receipt,
  ShardFrame,
} from './frame.ts';
import type { AllReduceOptions } from './multicast-all-reduce.ts';
import { accumulateTree } from './tree.ts';

/**
 * All-reduce for large payloads: a direct reduce-scatter, then an all-gather. Every chip gets its slice of every partial, adds
 * them in the tree (a ring would add in another order), and publishes the result once for all. Each byte crosses the broker about
 * twice, instead of once for every pair of chips.
 */
export class DirectAllReduce implements Exchange {
  readonly #options: AllReduceOptions;
  readonly #own: Float32Array;
  /** This chip's slice of every chip's partial. */
  readonly #parts: Float32Array[];
  readonly #partials: ChunkAssembly[];
  readonly #results: ChunkAssembly[];
  #result: Float32Array | undefined;

  constructor(options: AllReduceOptions) {
    this.#options = options;
    this.#own = options.partial.slice();
    const slice = this.#slice(options.rank);
    this.#parts = this.#ranks().map((rank) =>
      rank === options.rank
        ? this.#own.subarray(slice.start, slice.end)
        : new Float32Array(slice.end - slice.start),
    );
    this.#partials = this.#parts.map((part) => new ChunkAssembly(whole(part)));
    this.#results = this.#ranks().map(
      (rank) => new ChunkAssembly(bytesOf(options.target, this.#slice(rank))),
    );
  }

  get done(): boolean {
    return (
      this.#result !== undefined && this.#peers().every((rank) => this.#results[rank]!.complete)
    );
  }

  start(): readonly Outgoing[] {
    return this.#peers().flatMap((peer) => {
      const slice = bytesOf(this.#own, this.#slice(peer));
      return chunksOf(slice, 'partial', peer);
    });
  }

  receive(frame: ShardFrame, reply: (outgoing: Outgoing) => void): Receipt {
    if (frame.source === this.#options.rank) return 'invalid';
    if (frame.kind === 'result') {
      return this.#results[frame.source]?.receive(frame.chunk, frame.payload) ?? 'invalid';
    }
    if (frame.kind !== 'partial') return 'invalid';
    const receipt = this.#partials[frame.source]?.receive(frame.chunk, frame.payload) ?? 'invalid';
    if (receipt === 'accepted' && this.#peers().every((rank) => this.#partials[rank]!.complete)) {
      this.#reduce(reply);
    }
    return receipt;
  }

  missing(): readonly MissingChunk[] {
    const list = (
      kind: 'partial' | 'result',
      assemblies: readonly ChunkAssembly[],
    ): MissingChunk[] =>
      this.#peers().flatMap((source) =>
        assemblies[source]!.missingChunks().map((chunk) => ({ source, kind, chunk })),
      );
    return [...list('partial', this.#partials), ...list('result', this.#results)];
  }

  resend(kind: 'partial' | 'result', chunk: number, destination: number): Outgoing | undefined {
    const data =
      kind === 'partial'
        ? bytesOf(this.#own, this.#slice(destination))
        : this.#result && whole(this.#result);
    if (data === undefined || chunk >= countChunks(data.length)) return undefined;
    return { destination, kind, chunk, payload: chunkOf(data, chunk) };
  }

  #reduce(reply: (outgoing: Outgoing) => void): void {
    const slice = this.#slice(this.#options.rank);
    const target = this.#options.target.subarray(slice.start, slice.end);
    accumulateTree(this.#parts, target);
    this.#result = target.slice();
    for (const outgoing of chunksOf(whole(this.#result), 'result', 'all')) reply(outgoing);
  }

  /** The elements that chip `rank` reduces; multiples of four, and empty where there are too few. */
  #slice(rank: number): Range {
    const { length } = this.#options.partial;
    const size = Math.ceil(length / this.#options.ranks / 4) * 4;
    return { start: Math.min(rank * size, length), end: Math.min((rank + 1) * size, length) };
  }

  #ranks(): number[] {
    return Array.from({ length: this.#options.ranks }, (_, rank) => rank);
  }

  #peers(): number[] {
    return this.#ranks().filter((rank) => rank !== this.#options.rank);
  }
}

function whole(floats: Float32Array): Uint8Array {
  return bytesOf(floats, { start: 0, end: floats.length });
}

function chunksOf(
  data: Uint8Array,
  kind: 'partial' | 'result',
  destination: Destination,
): Outgoing[] {
  return Array.from({ length: countChunks(data.length) }, (_, chunk) => ({
    destination,
    kind,
    chunk,
    payload: chunkOf(data, chunk),
  }));
}
