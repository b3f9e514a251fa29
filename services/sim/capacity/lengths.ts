import { expF64, logF64 } from '../../core/support/math.ts';
import type { Random } from '../random.ts';
import { normal } from './variates.ts';

/** How the lengths of prompts and outputs are distributed around their means. */
export const LENGTH_DISTRIBUTIONS = ['fixed', 'uniform', 'lognormal'] as const;
export type LengthDistribution = (typeof LENGTH_DISTRIBUTIONS)[number];

export interface Lengths {
  readonly distribution: LengthDistribution;
  /**
   * Of `uniform` the half width over the mean, of `lognormal` the standard deviation over the mean.
   */
  readonly spread: number;
}

/** Draws a length of that mean; at least one token. */
export function drawLength(random: Random, mean: number, lengths: Lengths): number {
  return Math.max(1, Math.round(mean * factorOf(random, lengths)));
}

/** Of mean 1. */
function factorOf(random: Random, { distribution, spread }: Lengths): number {
  if (distribution === 'fixed') return 1;
  if (distribution === 'uniform') return 1 + spread * (2 * random.uniform() - 1);
  const variance = logF64(1 + spread * spread);
  return expF64(Math.sqrt(variance) * normal(random) - variance / 2);
}
