import { ChunkAssembly, wholeBytes } from './chunks.ts';
import type { Exchange, MissingChunk, Outgoing, Receipt, ShardFrame } from './frame.ts';
import { sendAgain, sendAll } from './outgoing.ts';
import type { Staging } from './staging.ts';
import { accumulateTree } from './tree.ts';

export interface AllReduceOptions {
  readonly ranks: number;
  readonly rank: number;
  /**
   * This chip's partial sums. They stay as they are until the next exchange but one begins: a peer
   * that missed them can be one exchange behind.
   */
  readonly partial: Float32Array;
  /** The replicated activations that the reduced sum is added to; as long as `partial`. */
  readonly target: Float32Array;
  readonly staging: Staging;
}

/**
 * All-reduce in one hop: every chip publishes its whole partial once, the broker fans it out, and
 * every chip adds all of them in the tree.
 */
export class MulticastAllReduce implements Exchange {
  readonly algorithm = 'multicast';
  readonly #options: AllReduceOptions;
  readonly #own: Uint8Array;
  readonly #parts: Float32Array[];
  readonly #assemblies: readonly ChunkAssembly[];
  #incomplete: number;

  constructor(options: AllReduceOptions) {
    this.#options = options;
    this.#own = wholeBytes(options.partial);
    this.#parts = options.staging.take(options.ranks, options.partial.length);
    this.#parts[options.rank] = options.partial;
    this.#assemblies = this.#parts.map((part) => new ChunkAssembly(wholeBytes(part)));
    this.#incomplete = options.ranks - 1;
  }

  get done(): boolean {
    return this.#incomplete === 0;
  }

  start(): readonly Outgoing[] {
    if (this.done) {
      accumulateTree(this.#parts, this.#options.target);
      return [];
    }
    return sendAll(this.#own, 'partial', 'all');
  }

  receive(frame: ShardFrame): Receipt {
    const assembly = this.#assemblies[frame.source];
    if (frame.kind !== 'partial' || assembly === undefined) return 'invalid';
    const receipt = assembly.receive(frame.chunk, frame.payload);
    if (receipt === 'accepted' && assembly.complete) {
      this.#incomplete--;
      if (this.done) accumulateTree(this.#parts, this.#options.target);
    }
    return receipt;
  }

  missing(): readonly MissingChunk[] {
    return this.#assemblies.flatMap((assembly, source) =>
      source === this.#options.rank ? [] : assembly.missingFrom(source, 'partial'),
    );
  }

  resend(kind: 'partial' | 'result', chunk: number, destination: number): Outgoing | undefined {
    return kind === 'partial' ? sendAgain(this.#own, { kind, chunk, destination }) : undefined;
  }
}
