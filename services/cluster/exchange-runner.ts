import type { Destination, Exchange, Outgoing, ShardFrame } from '../core/collectives/frame.ts';
import { MAX_EXCHANGE_BYTES, type ScheduledExchange } from '../core/collectives/schedule.ts';
import { assert } from '../core/support/errors.ts';
import type { ExchangeTimer } from './exchange-timer.ts';

/** Why a frame was not used; each reason is counted. */
export const DROP_REASONS = [
  'malformed',
  'corrupt',
  'stale',
  'duplicate',
  'unexpected',
  'overflow',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/**
 * How many exchanges a peer can be ahead: every second exchange at the latest needs a frame from
 * every chip.
 */
const MAX_LEAD = 2;
const MAX_HELD_BYTES = 8 * MAX_EXCHANGE_BYTES;
const FRAME_OVERHEAD_BYTES = 256;

interface Running {
  readonly step: number;
  readonly scheduled: ScheduledExchange;
  readonly exchange: Exchange;
}

/**
 * Runs a chip's exchanges one after the other: holds the frames of peers that are ahead, answers
 * peers that miss a chunk of a recent exchange, and asks for what it misses itself. A frame that
 * does not belong is dropped with a reason, never summed.
 */
export class ExchangeRunner {
  readonly #rank: number;
  readonly #ranks: number;
  readonly #send: (frame: ShardFrame, destination: Destination) => void;
  readonly #finished: () => void;
  readonly #timer: ExchangeTimer | undefined;
  #epoch = 0;
  #step = 0;
  /** Index of the next exchange to begin in the current step. */
  #next = 0;
  #begun = 0;
  #current: Running | undefined;
  #recent: Running[] = [];
  #held: ShardFrame[] = [];
  #heldBytes = 0;

  constructor(options: {
    readonly rank: number;
    readonly ranks: number;
    readonly send: (frame: ShardFrame, destination: Destination) => void;
    /** Called when an exchange is done, perhaps within `begin`. */
    readonly finished: () => void;
    /** Hears what every exchange took. */
    readonly timer?: ExchangeTimer;
  }) {
    this.#rank = options.rank;
    this.#ranks = options.ranks;
    this.#send = options.send;
    this.#finished = options.finished;
    this.#timer = options.timer;
  }

  /** Exchanges begun so far, over all steps and epochs. */
  get begun(): number {
    return this.#begun;
  }

  /** Bytes of frames that are held for exchanges to come. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Forgets everything of the epoch before. */
  beginEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#step = 0;
    this.#next = 0;
    this.#current = undefined;
    this.#recent = [];
    this.#held = [];
    this.#heldBytes = 0;
  }

  beginStep(step: number): void {
    assert(this.#current === undefined, 'a step begins after the last one ended');
    this.#step = step;
    this.#next = 0;
  }

  begin(scheduled: ScheduledExchange, exchange: Exchange): void {
    assert(this.#current === undefined && scheduled.index === this.#next, 'exchanges run in order');
    this.#next++;
    this.#begun++;
    this.#current = { step: this.#step, scheduled, exchange };
    this.#timer?.began();
    for (const outgoing of exchange.start()) this.#sendOf(this.#current, outgoing);
    this.#replay();
    this.#finishIfDone();
  }

  /** Takes a frame from a peer; returns the reason where it is not used. */
  receive(frame: ShardFrame): DropReason | undefined {
    if (frame.epoch !== this.#epoch) return 'stale';
    if (frame.source === this.#rank || frame.source >= this.#ranks) return 'unexpected';
    if (frame.kind === 'requestPartial' || frame.kind === 'requestResult') {
      this.#answer(frame);
      return undefined;
    }
    if (this.#isCurrent(frame)) {
      const dropped = this.#take(frame);
      this.#finishIfDone();
      return dropped;
    }
    if (this.#isBehind(frame)) return 'stale';
    return this.#hold(frame);
  }

  /**
   * Asks the peers for what the current exchange still lacks. Returns whether anything is lacking.
   */
  requestMissing(): boolean {
    const running = this.#current;
    if (running === undefined) return false;
    for (const { source, kind, chunk } of running.exchange.missing()) {
      const request = kind === 'partial' ? 'requestPartial' : 'requestResult';
      const nothing = { payload: new Uint8Array(0), modelledBytes: 0 };
      this.#send(this.#frame(running, { kind: request, chunk, ...nothing }), source);
    }
    return true;
  }

  #take(frame: ShardFrame): DropReason | undefined {
    const running = this.#current!;
    const { operation, layer } = running.scheduled;
    if (frame.operation !== operation || frame.layer !== layer) return 'unexpected';
    const receipt = running.exchange.receive(frame, (outgoing) => this.#sendOf(running, outgoing));
    if (receipt === 'accepted') {
      this.#timer?.took();
      return undefined;
    }
    return receipt === 'duplicate' ? 'duplicate' : 'unexpected';
  }

  #finishIfDone(): void {
    const running = this.#current;
    if (running === undefined || !running.exchange.done) return;
    this.#timer?.ended(running.scheduled, running.exchange.algorithm);
    this.#recent = [running, ...this.#recent].slice(0, MAX_LEAD + 1);
    this.#current = undefined;
    this.#finished();
  }

  #hold(frame: ShardFrame): DropReason | undefined {
    const inWindow =
      frame.step === this.#step
        ? frame.exchange < this.#next + MAX_LEAD
        : frame.step === this.#step + 1 && frame.exchange < MAX_LEAD;
    if (!inWindow) return 'unexpected';
    if (this.#heldBytes + heldBytes(frame) > MAX_HELD_BYTES) return 'overflow';
    this.#held.push({ ...frame, payload: new Uint8Array(frame.payload) });
    this.#heldBytes += heldBytes(frame);
    return undefined;
  }

  #replay(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = held.filter((frame) => !this.#isCurrent(frame) && !this.#isBehind(frame));
    this.#heldBytes = this.#held.reduce((sum, frame) => sum + heldBytes(frame), 0);
    for (const frame of held) if (this.#isCurrent(frame)) this.#take(frame);
  }

  #answer(frame: ShardFrame): void {
    const known = this.#current === undefined ? this.#recent : [this.#current, ...this.#recent];
    const running = known.find(
      ({ step, scheduled }) => step === frame.step && scheduled.index === frame.exchange,
    );
    const kind = frame.kind === 'requestPartial' ? 'partial' : 'result';
    const outgoing = running?.exchange.resend(kind, frame.chunk, frame.source);
    // A chunk that is not there yet goes out by itself once it is.
    if (running !== undefined && outgoing !== undefined) this.#sendOf(running, outgoing);
  }

  #isCurrent(frame: ShardFrame): boolean {
    const running = this.#current;
    return frame.step === running?.step && frame.exchange === running.scheduled.index;
  }

  #isBehind(frame: ShardFrame): boolean {
    return frame.step < this.#step || (frame.step === this.#step && frame.exchange < this.#next);
  }

  #sendOf(running: Running, outgoing: Outgoing): void {
    const { kind, chunk, payload, destination, modelledBytes = 0 } = outgoing;
    this.#timer?.sent(payload.length + modelledBytes);
    this.#send(this.#frame(running, { kind, chunk, payload, modelledBytes }), destination);
  }

  #frame(
    running: Running,
    content: Pick<ShardFrame, 'kind' | 'chunk' | 'payload' | 'modelledBytes'>,
  ): ShardFrame {
    const { kind, chunk, payload, modelledBytes } = content;
    const { index, operation, layer } = running.scheduled;
    const { step } = running;
    return {
      epoch: this.#epoch,
      step,
      exchange: index,
      layer,
      operation,
      kind,
      source: this.#rank,
      chunk,
      payload,
      modelledBytes,
    };
  }
}

/** What holding a frame costs; empty ones are not free. */
function heldBytes(frame: ShardFrame): number {
  return FRAME_OVERHEAD_BYTES + frame.payload.length;
}
