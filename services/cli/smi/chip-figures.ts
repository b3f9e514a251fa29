import type { ChipStatus } from '../../client/index.ts';
import { CHIPS } from '../../core/hardware/chip-catalogue.ts';
import { rangeOf } from '../../core/hardware/figure.ts';

const MIB = 2 ** 20;

/** HBM that weights, blocks in use and activations take, in bytes. */
export function usedBytes(chip: ChipStatus): number {
  return chip.hbmWeightBytes + chip.hbmKvBytes + chip.hbmActivationBytes;
}

/** The most that the chip's data allow it to draw, in watts; undefined for a chip without data. */
export function powerLimitWatts(name: string): number | undefined {
  const chip = CHIPS.find((each) => each.name === name || each.aliases.includes(name));
  return chip && rangeOf(chip.powerWatts).high;
}

/** Whole mebibytes. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / MIB);
}
