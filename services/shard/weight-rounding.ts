import { roundToE4M3 } from '../core/support/rounding.ts';

const E4M3_MAX = 448;

/**
 * Rounds each output channel of `weights` ([channels, inner]) in place to E4M3 values under a scale
 * of its own, max|w| / 448 (1 where that is 0), which it writes to `scales` ([channels]).
 */
export function quantizeChannels(weights: Float32Array, inner: number, scales: Float32Array): void {
  for (let channel = 0; channel < scales.length; channel++) {
    const row = weights.subarray(channel * inner, (channel + 1) * inner);
    let largest = 0;
    for (const weight of row) largest = Math.max(largest, Math.abs(weight));
    const scale = Math.fround(largest / E4M3_MAX) || 1;
    scales[channel] = scale;
    for (let i = 0; i < inner; i++) row[i] = roundToE4M3(Math.fround(row[i]! / scale));
  }
}
