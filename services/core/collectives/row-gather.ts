import { ChunkAssembly, wholeBytes } from './chunks.ts';
import type { Exchange, MissingChunk, Outgoing, Receipt, ShardFrame } from './frame.ts';
import { sendAgain, sendAll } from './outgoing.ts';

export interface RowGatherOptions {
  readonly ranks: number;
  readonly rank: number;
  /** The chip that owns each row. */
  readonly owners: readonly number[];
  /** The replicated activations, [owners.length, stride]; this chip has filled its own rows. */
  readonly target: Float32Array;
  readonly stride: number;
  /** Whether chips without a row publish an empty frame, so that nobody can run ahead of them. */
  readonly lockstep: boolean;
}

/**
 * All-gather of rows: every chip publishes the rows it owns, and copies the others'. Nothing is
 * added.
 */
export class RowGather implements Exchange {
  readonly algorithm = 'gather';
  readonly #options: RowGatherOptions;
  /** The rows of every chip. */
  readonly #rows: number[][];
  readonly #own: Float32Array;
  /** Rows of each peer that is expected to publish. */
  readonly #incoming = new Map<
    number,
    { readonly rows: Float32Array; readonly assembly: ChunkAssembly }
  >();

  constructor(options: RowGatherOptions) {
    this.#options = options;
    this.#rows = Array.from({ length: options.ranks }, () => []);
    options.owners.forEach((owner, row) => {
      this.#rows[owner]!.push(row);
    });
    this.#own = new Float32Array(this.#rowsOf(options.rank).length * options.stride);
    this.#rowsOf(options.rank).forEach((row, index) => {
      this.#own.set(this.#targetRow(row), index * options.stride);
    });
    for (let peer = 0; peer < options.ranks; peer++) {
      if (peer === options.rank || !this.#publishes(peer)) continue;
      const rows = new Float32Array(this.#rowsOf(peer).length * options.stride);
      this.#incoming.set(peer, { rows, assembly: new ChunkAssembly(wholeBytes(rows)) });
    }
  }

  get done(): boolean {
    return [...this.#incoming.values()].every(({ assembly }) => assembly.complete);
  }

  start(): readonly Outgoing[] {
    if (this.#options.ranks === 1 || !this.#publishes(this.#options.rank)) return [];
    return sendAll(wholeBytes(this.#own), 'result', 'all');
  }

  receive(frame: ShardFrame): Receipt {
    const incoming = this.#incoming.get(frame.source);
    if (incoming === undefined || frame.kind !== 'result') return 'invalid';
    const receipt = incoming.assembly.receive(frame.chunk, frame.payload);
    if (receipt === 'accepted' && incoming.assembly.complete) {
      const { stride } = this.#options;
      this.#rowsOf(frame.source).forEach((row, index) => {
        this.#targetRow(row).set(incoming.rows.subarray(index * stride, (index + 1) * stride));
      });
    }
    return receipt;
  }

  missing(): readonly MissingChunk[] {
    return [...this.#incoming].flatMap(([source, { assembly }]) =>
      assembly.missingFrom(source, 'result'),
    );
  }

  resend(kind: 'partial' | 'result', chunk: number, destination: number): Outgoing | undefined {
    if (kind !== 'result') return undefined;
    return sendAgain(wholeBytes(this.#own), { kind, chunk, destination });
  }

  #publishes(rank: number): boolean {
    return this.#options.lockstep || this.#rowsOf(rank).length > 0;
  }

  #rowsOf(rank: number): readonly number[] {
    return this.#rows[rank]!;
  }

  #targetRow(row: number): Float32Array {
    const { stride, target } = this.#options;
    return target.subarray(row * stride, (row + 1) * stride);
  }
}
