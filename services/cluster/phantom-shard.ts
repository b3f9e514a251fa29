import type { PhantomTokens } from '../core/sampling/phantom-tokens.ts';
import type { StepShape } from '../core/timing/step-shape.ts';
import type { StepLimits } from './step-check.ts';

/** A chip's shard without weights: its place, its limits, and what it stands for. */
export interface PhantomShard {
  readonly rank: number;
  readonly ranks: number;
  readonly limits: StepLimits;
  readonly tokens: PhantomTokens;
  /** Bytes that one chip sends on the modelled links in a step of that shape. */
  linkBytes(shape: StepShape): number;
}

/** Which of so many sampled rows a rank of a phantom group draws: every one is some rank's. */
export function phantomRows(samples: number, rank: number, ranks: number): number {
  return Math.ceil((samples - rank) / ranks);
}

/**
 * The drawn tokens of all sampled rows, from those that each rank has drawn: row i is of rank
 * i mod ranks. Every rank must have as many as `phantomRows` says.
 */
export function mergePhantomRows(
  byRank: readonly (readonly number[])[],
  samples: number,
): readonly number[] {
  const ranks = byRank.length;
  return Array.from(
    { length: samples },
    (_, row) => byRank[row % ranks]![Math.floor(row / ranks)]!,
  );
}
