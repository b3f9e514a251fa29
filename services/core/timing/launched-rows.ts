import { rowsOf } from './operator.ts';
import type { StepShape } from './step-shape.ts';

/** How many rows the kernels of a step are launched with. */
export type LaunchedRows = (shape: StepShape) => number;

/**
 * Recorded graphs exist for some batch sizes alone: a step of decoding alone is padded to the next of
 * them, one with a part of a prompt is launched kernel by kernel, without padding.
 */
export function makeLaunchedRows(graphBatchSizes: readonly number[]): LaunchedRows {
  return (shape) => {
    const rows = rowsOf(shape);
    if (rows === 0 || shape.prefillTokens > 0) return rows;
    for (const size of graphBatchSizes) if (rows <= size) return size;
    return rows;
  };
}
