import type { Range } from '../model/shard-plan.ts';
import { bytesOf, ChunkAssembly, wholeBytes } from './chunks.ts';
import type { Exchange, MissingChunk, Outgoing, Receipt, ShardFrame } from './frame.ts';
import type { AllReduceOptions } from './multicast-all-reduce.ts';
import { sendAgain, sendAll } from './outgoing.ts';
import { accumulateTree } from './tree.ts';

export interface DirectAllReduceOptions extends AllReduceOptions {
  /** The chips that reduce, each a slice of its own. */
  readonly reducers: readonly number[];
}

/**
 * All-reduce in two hops: a direct reduce-scatter onto the reducers, then an all-gather. A reducer
 * gets its slice of every partial, adds them in the tree (a ring would add in another order), and
 * publishes the result once for all. With every chip a reducer the work is spread most evenly; with
 * fewer, fewer and larger messages carry the same bytes.
 */
export class DirectAllReduce implements Exchange {
  readonly algorithm = 'direct';
  readonly #options: DirectAllReduceOptions;
  /** Where each reducer's slice lies. */
  readonly #slices = new Map<number, Range>();
  /** This chip's slice of every chip's partial, where it is a reducer. */
  readonly #parts: Float32Array[] = [];
  readonly #partials: readonly ChunkAssembly[];
  readonly #results = new Map<number, ChunkAssembly>();
  #incompletePartials: number;
  #incompleteResults: number;

  constructor(options: DirectAllReduceOptions) {
    this.#options = options;
    const { reducers, rank, ranks, target, partial, staging } = options;
    reducers.forEach((reducer, index) => {
      const slice = sliceOf(target.length, reducers.length, index);
      this.#slices.set(reducer, slice);
      if (reducer !== rank) {
        this.#results.set(reducer, new ChunkAssembly(bytesOf(target, slice)));
      }
    });
    const own = this.#slices.get(rank);
    if (own !== undefined) {
      this.#parts = staging.take(ranks, own.end - own.start);
      this.#parts[rank] = partial.subarray(own.start, own.end);
    }
    this.#partials = this.#parts.map((part) => new ChunkAssembly(wholeBytes(part)));
    this.#incompletePartials = own === undefined ? 0 : ranks - 1;
    this.#incompleteResults = this.#results.size;
  }

  get done(): boolean {
    return this.#incompletePartials === 0 && this.#incompleteResults === 0;
  }

  start(): readonly Outgoing[] {
    return [...this.#results.keys()].flatMap((reducer) =>
      sendAll(this.#partialFor(reducer), 'partial', reducer),
    );
  }

  receive(frame: ShardFrame, reply: (outgoing: Outgoing) => void): Receipt {
    if (frame.kind === 'result') return this.#takeResult(frame);
    const assembly = this.#partials[frame.source];
    if (frame.kind !== 'partial' || assembly === undefined) return 'invalid';
    const receipt = assembly.receive(frame.chunk, frame.payload);
    if (receipt === 'accepted' && assembly.complete && --this.#incompletePartials === 0) {
      accumulateTree(this.#parts, this.#ownTarget());
      for (const outgoing of sendAll(wholeBytes(this.#ownTarget()), 'result', 'all')) {
        reply(outgoing);
      }
    }
    return receipt;
  }

  missing(): readonly MissingChunk[] {
    const { rank } = this.#options;
    return [
      ...this.#partials.flatMap((assembly, source) =>
        source === rank ? [] : assembly.missingFrom(source, 'partial'),
      ),
      ...[...this.#results].flatMap(([source, assembly]) => assembly.missingFrom(source, 'result')),
    ];
  }

  resend(kind: 'partial' | 'result', chunk: number, destination: number): Outgoing | undefined {
    if (kind === 'partial' ? !this.#slices.has(destination) : !this.#hasResult()) return undefined;
    const data = kind === 'partial' ? this.#partialFor(destination) : wholeBytes(this.#ownTarget());
    return sendAgain(data, { kind, chunk, destination });
  }

  #takeResult(frame: ShardFrame): Receipt {
    const assembly = this.#results.get(frame.source);
    if (assembly === undefined) return 'invalid';
    const receipt = assembly.receive(frame.chunk, frame.payload);
    if (receipt === 'accepted' && assembly.complete) this.#incompleteResults--;
    return receipt;
  }

  #hasResult(): boolean {
    return this.#parts.length > 0 && this.#incompletePartials === 0;
  }

  #partialFor(reducer: number): Uint8Array {
    return bytesOf(this.#options.partial, this.#slices.get(reducer)!);
  }

  #ownTarget(): Float32Array {
    const { start, end } = this.#slices.get(this.#options.rank)!;
    return this.#options.target.subarray(start, end);
  }
}

/**
 * The elements of slice `index` of `count`; multiples of four, and empty where there are too few.
 */
function sliceOf(length: number, count: number, index: number): Range {
  const size = Math.ceil(length / count / 4) * 4;
  return { start: Math.min(index * size, length), end: Math.min((index + 1) * size, length) };
}
