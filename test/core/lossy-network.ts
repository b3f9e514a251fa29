import assert from 'node:assert/strict';
import type {
  Exchange,
  FrameKind,
  Outgoing,
  ShardFrame,
} from '../../services/core/collectives/frame.ts';

/** How many of a hundred messages meet which fate. */
export interface Faults {
  readonly dropPercent: number;
  readonly duplicatePercent: number;
}

const MAX_ROUNDS = 1000;

interface Message {
  readonly destination: number;
  readonly frame: ShardFrame;
}

/** Runs one exchange on all ranks over a network that shuffles, repeats and loses what is sent. */
export class LossyNetwork {
  readonly #exchanges: readonly Exchange[];
  readonly #faults: Faults;
  readonly #random: () => number;
  #messages: Message[] = [];
  /** Chunks that a rank took, by rank, sender, kind and index: none may be taken twice. */
  readonly accepted = new Map<string, number>();
  invalid = 0;

  constructor(exchanges: readonly Exchange[], faults: Faults, random: () => number) {
    this.#exchanges = exchanges;
    this.#faults = faults;
    this.#random = random;
  }

  /** Runs until every rank is done, calling `visit` before every delivery; returns the rounds of asking again. */
  run(visit: (rank: number, exchange: Exchange) => void = () => {}): number {
    this.#exchanges.forEach((exchange, rank) => {
      for (const outgoing of exchange.start()) this.#send(rank, outgoing);
    });
    let rounds = 0;
    for (; !this.#exchanges.every(({ done }) => done); rounds++) {
      assert.ok(rounds < MAX_ROUNDS, 'the exchange is done at some time');
      if (rounds > 0) this.#askAgain();
      this.#deliverAll(visit);
    }
    this.#deliverAll(visit);
    return rounds - 1;
  }

  #deliverAll(visit: (rank: number, exchange: Exchange) => void): void {
    while (this.#messages.length > 0) {
      const index = Math.floor(this.#random() * this.#messages.length);
      const message = this.#messages[index]!;
      this.#messages[index] = this.#messages.at(-1)!;
      this.#messages.pop();
      const fate = this.#random() * 100;
      const { dropPercent, duplicatePercent } = this.#faults;
      if (fate < dropPercent) continue;
      if (fate < dropPercent + duplicatePercent) this.#messages.push(message);
      visit(message.destination, this.#exchanges[message.destination]!);
      this.#deliver(message);
    }
  }

  #deliver({ destination, frame }: Message): void {
    const reply = (outgoing: Outgoing): void => this.#send(destination, outgoing);
    const receipt = this.#exchanges[destination]!.receive(frame, reply);
    if (receipt === 'invalid') this.invalid++;
    if (receipt !== 'accepted') return;
    const chunk = `${destination} ${frame.source} ${frame.kind} ${frame.chunk}`;
    this.accepted.set(chunk, (this.accepted.get(chunk) ?? 0) + 1);
  }

  #askAgain(): void {
    this.#exchanges.forEach((exchange, rank) => {
      for (const { source, kind, chunk } of exchange.missing()) {
        const outgoing = this.#exchanges[source]!.resend(kind, chunk, rank);
        if (outgoing !== undefined) this.#send(source, outgoing);
      }
    });
  }

  #send(source: number, { destination, kind, chunk, payload }: Outgoing): void {
    const frame = makeFrame({ source, kind, chunk, payload: payload.slice() });
    for (let rank = 0; rank < this.#exchanges.length; rank++) {
      const meant = destination === 'all' ? rank !== source : rank === destination;
      if (meant) this.#messages.push({ destination: rank, frame });
    }
  }
}

/** A frame of some exchange; which one is not the exchange's own business. */
export function makeFrame(content: {
  readonly source: number;
  readonly kind: FrameKind;
  readonly chunk: number;
  readonly payload: Uint8Array;
}): ShardFrame {
  const place = { epoch: 1, step: 1, exchange: 0, layer: 0, operation: 'attention' } as const;
  return { ...place, modelledBytes: 0, ...content };
}
