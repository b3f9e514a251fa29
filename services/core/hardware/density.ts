import type { Chip } from './chip.ts';
import { type Range, rangeOf } from './figure.ts';

/** What a chip's dense bf16 peak comes to, whole and by its area. */
export interface Density {
  readonly chip: Chip;
  readonly flopsPerSecond: number;
  readonly squareMillimetres: Range;
  /** FLOP/s of a square millimetre; a range where the area is one. */
  readonly flopsPerSquareMillimetre: Range;
}

/** How much more one chip has than another. */
export interface Growth {
  readonly perChip: number;
  readonly perSquareMillimetre: Range;
}

/** The density of a chip; undefined where its peak or its area is not known. */
export function densityOf(chip: Chip): Density | undefined {
  const { dieSquareMillimetres, peakFlops } = chip;
  if (dieSquareMillimetres === undefined || peakFlops.bf16 === undefined) return undefined;
  const flopsPerSecond = rangeOf(peakFlops.bf16).low;
  const squareMillimetres = rangeOf(dieSquareMillimetres);
  return {
    chip,
    flopsPerSecond,
    squareMillimetres,
    flopsPerSquareMillimetre: {
      low: flopsPerSecond / squareMillimetres.high,
      high: flopsPerSecond / squareMillimetres.low,
    },
  };
}

/** What a newer chip has over an older one: by the chip, and by the square millimetre. */
export function growthOf({ from, to }: { readonly from: Density; readonly to: Density }): Growth {
  const newer = to.flopsPerSquareMillimetre;
  const older = from.flopsPerSquareMillimetre;
  return {
    perChip: to.flopsPerSecond / from.flopsPerSecond,
    perSquareMillimetre: { low: newer.low / older.high, high: newer.high / older.low },
  };
}
