import type { Exchange, MissingChunk, Outgoing, Receipt, ShardFrame } from './frame.ts';

const NO_PAYLOAD = new Uint8Array(0);

export interface RingExchangeOptions {
  readonly ranks: number;
  readonly rank: number;
  /** Bytes that the chip sends on the modelled links. */
  readonly modelledBytes: number;
}

/**
 * Stands for all collectives of a step where nothing is added: every chip sends one empty frame to
 * the next in the ring, which says how many bytes it stands for, and waits for that of the one before.
 */
export class RingExchange implements Exchange {
  readonly algorithm = 'ring';
  readonly #options: RingExchangeOptions;
  #received: boolean;

  constructor(options: RingExchangeOptions) {
    this.#options = options;
    this.#received = options.ranks === 1;
  }

  get done(): boolean {
    return this.#received;
  }

  start(): readonly Outgoing[] {
    return this.#options.ranks === 1 ? [] : [this.#outgoing()];
  }

  receive({ source, kind, chunk }: ShardFrame): Receipt {
    if (source !== this.#before || kind !== 'partial' || chunk !== 0) return 'invalid';
    if (this.#received) return 'duplicate';
    this.#received = true;
    return 'accepted';
  }

  missing(): readonly MissingChunk[] {
    return this.#received ? [] : [{ source: this.#before, kind: 'partial', chunk: 0 }];
  }

  resend(kind: 'partial' | 'result', chunk: number, destination: number): Outgoing | undefined {
    const outgoing = this.#outgoing();
    const isKnown = kind === 'partial' && chunk === 0 && destination === outgoing.destination;
    return isKnown ? outgoing : undefined;
  }

  get #before(): number {
    const { rank, ranks } = this.#options;
    return (rank + ranks - 1) % ranks;
  }

  #outgoing(): Outgoing {
    const { rank, ranks, modelledBytes } = this.#options;
    const destination = (rank + 1) % ranks;
    return { destination, kind: 'partial', chunk: 0, payload: NO_PAYLOAD, modelledBytes };
  }
}
