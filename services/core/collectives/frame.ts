import { OPERATION_KINDS } from '../model/step-plan.ts';

/** What an exchange is part of; `step` stands for all of a step's where nothing is computed. */
export const EXCHANGE_KINDS = [...OPERATION_KINDS, 'step'] as const;
export type ExchangeKind = (typeof EXCHANGE_KINDS)[number];

/** What a frame carries: data, or the wish to have a chunk of data once more. */
export type FrameKind = 'partial' | 'result' | 'requestPartial' | 'requestResult';

/**
 * One chunk of one exchange, chip to chip. Everything but the payload says which sum it belongs to.
 */
export interface ShardFrame {
  readonly epoch: number;
  readonly step: number;
  /** Index of the exchange within its step; the same on all chips. */
  readonly exchange: number;
  readonly layer: number;
  readonly operation: ExchangeKind;
  readonly kind: FrameKind;
  /** Rank of the sender. */
  readonly source: number;
  readonly chunk: number;
  /** f32, little-endian; only valid during the call that receives it. */
  readonly payload: Uint8Array;
  /** Bytes on the modelled links that the frame stands for; 0 where it stands for itself. */
  readonly modelledBytes: number;
}

export type Destination = number | 'all';

/** What an exchange wants to send; the chip adds where in the run it belongs. */
export interface Outgoing {
  readonly destination: Destination;
  readonly kind: 'partial' | 'result';
  readonly chunk: number;
  readonly payload: Uint8Array;
  /** Bytes on the modelled links, where the payload is not what these carry. */
  readonly modelledBytes?: number;
}

/** A chunk that has not come yet. */
export interface MissingChunk {
  readonly source: number;
  readonly kind: 'partial' | 'result';
  readonly chunk: number;
}

export type Receipt = 'accepted' | 'duplicate' | 'invalid';

/** How an exchange goes about it. */
export const EXCHANGE_ALGORITHMS = ['gather', 'multicast', 'direct', 'ring'] as const;
export type ExchangeAlgorithm = (typeof EXCHANGE_ALGORITHMS)[number];

/** One collective over one piece of data, on one chip. */
export interface Exchange {
  readonly algorithm: ExchangeAlgorithm;
  readonly done: boolean;
  /** What this chip sends at the start. */
  start(): readonly Outgoing[];
  /** Takes a peer's chunk; what it sends in turn goes to `reply`. */
  receive(frame: ShardFrame, reply: (outgoing: Outgoing) => void): Receipt;
  /** What has not come yet. */
  missing(): readonly MissingChunk[];
  /** A chunk that was sent before, for `destination`; undefined where it does not exist (yet). */
  resend(kind: 'partial' | 'result', chunk: number, destination: number): Outgoing | undefined;
}
