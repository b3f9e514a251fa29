import { logF64 } from '../support/math.ts';

/** What identifies one draw; nothing else influences it. */
export interface Draw {
  readonly seed: number;
  /** Which of several parallel samples of a request. */
  readonly choice: number;
  /** Absolute index of the drawn token in its sequence. */
  readonly position: number;
}

/** A 32-bit state for a draw, to be mixed with each token id. */
export function drawState(draw: Draw): number {
  return mix(mix(mix(0x9e3779b9 ^ draw.seed) + draw.choice) + draw.position);
}

/**
 * Gumbel(0, 1) noise of one token in one draw: −ln(−ln u) for u uniform in (0, 1), from a counter
 * and no generator state.
 */
export function gumbel(state: number, token: number): number {
  return -logF64(-logF64(uniform(state, token)));
}

/** Uniform in (0, 1), from the state of a draw and a counter. */
export function uniform(state: number, counter: number): number {
  return (mix(state ^ mix(counter + 0x85ebca6b)) + 0.5) / 4294967296;
}

/**
 * A bijective mixer of 32-bit integers with full avalanche ("lowbias32", Chris Wellons,
 * hash-prospector).
 */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
