import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expF64, logF64 } from '../../core/support/math.ts';

/** Draws of one seed; the same ones on every machine. */
export class Random {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** In (0, 1]. */
  uniform(): number {
    return 1 - uniformFloat64(this.#generator);
  }

  /** Of mean 1. */
  exponential(): number {
    return -logF64(this.uniform());
  }

  /** Of mean 0 and variance 1, by Marsaglia's polar method. */
  normal(): number {
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * logF64(square)) / square);
    }
  }

  /** Gamma of that shape and scale 1 (Marsaglia and Tsang, ACM TOMS 26:3, 2000). */
  gamma(shape: number): number {
    if (shape === 1) return this.exponential();
    if (shape < 1) return this.gamma(shape + 1) * expF64(logF64(this.uniform()) / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const root = 1 + c * x;
      if (root <= 0) continue;
      const v = root * root * root;
      if (logF64(this.uniform()) < (x * x) / 2 + d - d * v + d * logF64(v)) return d * v;
    }
  }
}
