import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { valueAt } from '../../core/hardware/figure.ts';
import type { MeasuredStream } from '../chip-measurements.ts';
import { meanTimeError } from '../mean-error.ts';
import { between, fit, type KernelFit } from './kernel-fit.ts';

/** The passes of a layer in the table of streams. */
const LAYER_PASSES: readonly string[] = ['add_rmsnorm', 'silu_mul', 'quantize'];

/** What a pass over rows takes beyond streaming them. */
export const fitPasses: KernelFit = (start, { streams }) => {
  const rows = streams.filter(({ kernel }) => LAYER_PASSES.includes(kernel));
  return fit(
    [between(0, 10)],
    ([passOverheadMicros]) => ({ ...start, passOverheadMicros: passOverheadMicros! }),
    (_, { passOverheadMicros, memoryEfficiency }) =>
      meanTimeError(
        rows,
        (row) => passOverheadMicros * 1e-6 + leastSeconds(row) / memoryEfficiency,
      ),
  );
};

/** Seconds of a pass at the memory's peak. */
export function leastSeconds({ chip, bytes }: MeasuredStream): number {
  return bytes / valueAt(findChip(chip).memoryBytesPerSecond, 'middle');
}
