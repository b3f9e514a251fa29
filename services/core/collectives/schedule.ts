import type { Range } from '../model/shard-plan.ts';
import type { StepStage } from '../model/step-plan.ts';
import type { ExchangeKind } from './frame.ts';

/** One exchange of a step: the piece of a collective that is in flight at a time. */
export interface ScheduledExchange {
  /** Index within the step. */
  readonly index: number;
  readonly operation: ExchangeKind;
  readonly layer: number;
  readonly rows: Range;
  /** Whether the collective has more than one piece. */
  readonly split: boolean;
}

/** A stage as the chip walks through it. */
export type ScheduledStage =
  | Extract<StepStage, { kind: 'segment' }>
  | { readonly kind: 'exchange'; readonly exchange: ScheduledExchange };

/**
 * Bytes of activations that one exchange covers at the most. An exchange acknowledges the one
 * before it, so this bounds what is in flight to a peer without credits: at most two exchanges'
 * slices.
 */
export const MAX_EXCHANGE_BYTES = 1024 * 1024;

/** Cuts a step's collectives into pieces of at most MAX_EXCHANGE_BYTES; `stride` is in floats. */
export function scheduleStages(
  stages: readonly StepStage[],
  rows: number,
  stride: number,
): readonly ScheduledStage[] {
  const rowsPerPiece = Math.max(1, Math.floor(MAX_EXCHANGE_BYTES / (4 * stride)));
  let index = 0;
  return stages.flatMap((stage): ScheduledStage[] => {
    if (stage.kind === 'segment') return [stage];
    const pieces: ScheduledStage[] = [];
    for (let start = 0; start < rows; start += rowsPerPiece) {
      const piece = { start, end: Math.min(rows, start + rowsPerPiece) };
      const { operation, layer } = stage;
      const split = rows > rowsPerPiece;
      const exchange = { index: index++, operation, layer, rows: piece, split };
      pieces.push({ kind: 'exchange', exchange });
    }
    return pieces;
  });
}
