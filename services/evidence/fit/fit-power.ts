import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { valueAt } from '../../core/hardware/figure.ts';
import type { PowerParameters } from '../../core/timing/calibration-model.ts';
import type { MeasuredPower } from '../chip-measurements.ts';
import { meanError } from '../mean-error.ts';
import { minimize } from '../minimize.ts';

/** Up to here of its limit a chip keeps its full clock, and draws what its work takes. */
const UNLIMITED_SHARE = 0.95;

/** Power at full clock over the limit, by the law that `makePowerLimit` rests on. */
export function powerShareOf(row: MeasuredPower, power: PowerParameters): number {
  const chip = findChip(row.chip);
  const limitWatts = valueAt(chip.powerWatts, 'middle');
  const seconds = row.workSeconds + row.restSeconds;
  const peakSeconds =
    row.format === undefined ? 0 : row.flops / valueAt(chip.peakFlops[row.format]!, 'middle');
  const arithmetic = (power.peakShare * peakSeconds) / seconds;
  const traffic = (power.joulesPerByte * row.bytes) / (limitWatts * seconds);
  return power.idleShare + arithmetic + traffic;
}

/** Fits what a chip draws on loads that its limit does not slow. */
export function fitPower(rows: readonly MeasuredPower[]): {
  readonly power: PowerParameters;
  readonly rows: number;
  /** Mean of |ln(predicted / measured)|. */
  readonly meanError: number;
} {
  const unlimited = rows.filter((row) => shareOf(row) < UNLIMITED_SHARE);
  const error = (power: PowerParameters): number =>
    meanError(unlimited, (row) => powerShareOf(row, power), shareOf);
  const build = ([idleShare, peakShare, picojoules]: readonly number[]): PowerParameters => ({
    idleShare: idleShare!,
    peakShare: peakShare!,
    joulesPerByte: picojoules! * 1e-12,
  });
  const power = build(
    minimize(
      (values) => error(build(values)),
      [
        { start: 0.2, low: 0, high: 0.5 },
        { start: 1, low: 0.2, high: 3 },
        { start: 100, low: 10, high: 400 },
      ],
    ),
  );
  return { power, rows: unlimited.length, meanError: error(power) };
}

function shareOf({ chip, watts }: MeasuredPower): number {
  return watts / valueAt(findChip(chip).powerWatts, 'middle');
}
