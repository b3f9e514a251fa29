import type { ClusterSnapshot } from '../../client/index.ts';

/** What the charts show, a value for each moment that was seen. */
export interface History {
  readonly tokensPerSecond: readonly number[];
  readonly mfu: readonly number[];
  readonly kvUsage: readonly number[];
  readonly stepMs: readonly number[];
}

/** Enough for the widest chart of a large screen. */
const CAPACITY = 512;

export const NO_HISTORY: History = { tokensPerSecond: [], mfu: [], kvUsage: [], stepMs: [] };

/** The history with one more moment; the oldest are forgotten. */
export function withSnapshot(history: History, { rates, load, chips }: ClusterSnapshot): History {
  const last = (values: readonly number[], value: number): readonly number[] => [
    ...values.slice(Math.max(0, values.length + 1 - CAPACITY)),
    value,
  ];
  return {
    tokensPerSecond: last(history.tokensPerSecond, rates.generatedTokensPerSecond),
    mfu: last(history.mfu, meanOf(chips.map(({ mfu }) => mfu))),
    kvUsage: last(history.kvUsage, shareOf(load.kvBlocksUsed, load.kvBlocks)),
    stepMs: last(history.stepMs, rates.stepMs),
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** 0 of nothing. */
export function shareOf(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
