import { expF64, logF64 } from '../../core/support/math.ts';
import type { Random } from '../random.ts';

/** Exponential, of mean 1. */
function exponential(random: Random): number {
  return -logF64(random.uniform());
}

/** Normal, of mean 0 and variance 1, by Marsaglia's polar method. */
export function normal(random: Random): number {
  for (;;) {
    const x = 2 * random.uniform() - 1;
    const y = 2 * random.uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * logF64(square)) / square);
  }
}

/** Gamma, of that shape and scale 1 (Marsaglia and Tsang, ACM TOMS 26:3, 2000). */
export function gamma(random: Random, shape: number): number {
  if (shape === 1) return exponential(random);
  if (shape < 1) return gamma(random, shape + 1) * expF64(logF64(random.uniform()) / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    if (logF64(random.uniform()) < (x * x) / 2 + d - d * v + d * logF64(v)) return d * v;
  }
}
