import type { ExchangeAlgorithm, ExchangeKind } from '../core/collectives/frame.ts';
import { SEGMENT_KINDS } from '../core/model/step-plan.ts';

/** What a chip computes without others; `sample` is its part of the draws. */
export const COMPUTE_KINDS = [...SEGMENT_KINDS, 'sample'] as const;
export type ComputeKind = (typeof COMPUTE_KINDS)[number];

/** One stretch of computing on one chip, in host time. */
export interface SegmentTimes {
  readonly segment: ComputeKind;
  readonly layer: number;
  readonly beganMicros: number;
  readonly endedMicros: number;
}

/** One exchange on one chip, in host time. */
export interface ExchangeTimes {
  readonly operation: ExchangeKind;
  readonly layer: number;
  readonly algorithm: ExchangeAlgorithm;
  readonly beganMicros: number;
  readonly endedMicros: number;
  /**
   * Between the first and the last frame of a peer, as this chip waited for them: frames that were
   * there before it count from its beginning. 0 where one peer decides.
   */
  readonly skewMicros: number;
  /** Payload that the chip sent, again or for the first time. */
  readonly bytesSent: number;
}

/** One step on one chip, in host time. */
export interface StepTimes {
  readonly beganMicros: number;
  readonly endedMicros: number;
  /** Rows computed. */
  readonly tokens: number;
  readonly computeMicros: number;
  /** Waiting for other chips included. */
  readonly communicationMicros: number;
  /** In their order, as are the exchanges. */
  readonly segments: readonly SegmentTimes[];
  readonly exchanges: readonly ExchangeTimes[];
}
