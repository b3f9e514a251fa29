import { bytesOf, ChunkAssembly, chunkOf, countChunks } from './chunks.ts';
import type { Exchange, MissingChunk, Outgoing, Receipt, ShardFrame } from './frame.ts';
import { accumulateTree } from './tree.ts';

export interface AllReduceOptions {
  readonly ranks: number;
  readonly rank: number;
  /** This chip's partial sums. */
  readonly partial: Float32Array;
  /** The replicated activations that the reduced sum is added to; as long as `partial`. */
  readonly target: Float32Array;
}

/**
 * All-reduce for small payloads: every chip publishes its whole partial once, the broker fans it out, and every chip adds all of
 * them in the tree. One hop, so the latency of one message.
 */
export class MulticastAllReduce implements Exchange {
  readonly #options: AllReduceOptions;
  readonly #parts: Float32Array[];
  readonly #assemblies: ChunkAssembly[];
  #done = false;

  constructor(options: AllReduceOptions) {
    this.#options = options;
    // The own partial is copied: it must survive for a peer that asks for it again after this chip has moved on.
    this.#parts = Array.from({ length: options.ranks }, (_, rank) =>
      rank === options.rank ? options.partial.slice() : new Float32Array(options.partial.length),
    );
    this.#assemblies = this.#parts.map((part) => new ChunkAssembly(whole(part)));
  }

  get done(): boolean {
    return this.#done;
  }

  start(): readonly Outgoing[] {
    if (this.#options.ranks === 1) {
      this.#reduce();
      return [];
    }
    const chunks = countChunks(4 * this.#options.partial.length);
    return Array.from({ length: chunks }, (_, chunk) => this.#outgoing(chunk, 'all'));
  }

  receive(frame: ShardFrame): Receipt {
    if (frame.kind !== 'partial' || frame.source === this.#options.rank) return 'invalid';
    const receipt =
      this.#assemblies[frame.source]?.receive(frame.chunk, frame.payload) ?? 'invalid';
    if (receipt === 'accepted' && this.#peersComplete()) this.#reduce();
    return receipt;
  }

  missing(): readonly MissingChunk[] {
    return this.#assemblies.flatMap((assembly, source) =>
      source === this.#options.rank
        ? []
        : assembly.missingChunks().map((chunk) => ({ source, kind: 'partial' as const, chunk })),
    );
  }

  resend(kind: 'partial' | 'result', chunk: number, destination: number): Outgoing | undefined {
    const chunks = countChunks(4 * this.#options.partial.length);
    return kind === 'partial' && chunk < chunks ? this.#outgoing(chunk, destination) : undefined;
  }

  #reduce(): void {
    accumulateTree(this.#parts, this.#options.target);
    this.#done = true;
  }

  #outgoing(chunk: number, destination: number | 'all'): Outgoing {
    const own = whole(this.#parts[this.#options.rank]!);
    return { destination, kind: 'partial', chunk, payload: chunkOf(own, chunk) };
  }

  #peersComplete(): boolean {
    return this.#assemblies.every(
      (assembly, rank) => rank === this.#options.rank || assembly.complete,
    );
  }
}

function whole(floats: Float32Array): Uint8Array {
  return bytesOf(floats, { start: 0, end: floats.length });
}
