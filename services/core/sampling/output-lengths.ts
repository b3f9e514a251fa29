import { expF64, logF64 } from '../support/math.ts';
import { type Draw, drawState, uniform } from './gumbel.ts';

/** How many tokens a phantom model generates until its end of text. */
export const OUTPUT_LENGTHS = ['lognormal', 'geometric', 'fixed', 'max'] as const;

/**
 * `lognormal`: with a standard deviation equal to the mean, as outputs of chats are about; `geometric`:
 * as likely to end after every token; `fixed`: always the mean; `max`: no end of text, so that
 * max_tokens decides.
 */
export type OutputLengthDistribution = (typeof OUTPUT_LENGTHS)[number];

export interface OutputLengths {
  readonly distribution: OutputLengthDistribution;
  /** Tokens, the end of text included. */
  readonly mean: number;
}

/** Squared standard deviation of the logarithm where deviation and mean are equal. */
const LOG_VARIANCE = logF64(2);

/** No draw of a token has this position. */
const LENGTH_POSITION = 0xffffffff;

/**
 * Tokens of one sample up to its end of text, that included: from 1, and infinite where there is
 * none. A function of the seed and the choice alone.
 */
export function drawOutputLength(
  { distribution, mean }: OutputLengths,
  { seed, choice }: Omit<Draw, 'position'>,
): number {
  if (distribution === 'max') return Number.POSITIVE_INFINITY;
  if (distribution === 'fixed') return Math.max(1, Math.round(mean));
  const state = drawState({ seed, choice, position: LENGTH_POSITION });
  if (distribution === 'lognormal') {
    const factor = expF64(Math.sqrt(LOG_VARIANCE) * normal(state) - LOG_VARIANCE / 2);
    return Math.max(1, Math.round(mean * factor));
  }
  if (mean <= 1) return 1;
  return Math.max(1, Math.ceil(logF64(uniform(state, 0)) / logF64(1 - 1 / mean)));
}

/** Of mean 0 and variance 1, by Marsaglia's polar method. */
function normal(state: number): number {
  for (let counter = 0; ; counter += 2) {
    const x = 2 * uniform(state, counter) - 1;
    const y = 2 * uniform(state, counter + 1) - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * logF64(square)) / square);
  }
}
