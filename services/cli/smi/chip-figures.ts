import type { ChipStatus } from '../../client/index.ts';
import { type Chip, productName } from '../../core/hardware/chip.ts';
import { CHIPS } from '../../core/hardware/chip-catalogue.ts';
import { rangeOf } from '../../core/hardware/figure.ts';
import { isByConstruction } from '../../core/timing/load-price.ts';

const MIB = 2 ** 20;

/** HBM that weights, blocks in use and activations take, in bytes. */
export function usedBytes(chip: ChipStatus): number {
  return chip.hbmWeightBytes + chip.hbmKvBytes + chip.hbmActivationBytes;
}

/** The most that the chip's data allow it to draw, in watts; undefined for a chip without data. */
export function powerLimitWatts(name: string): number | undefined {
  const chip = modelledChip(name);
  return chip && rangeOf(chip.powerWatts).high;
}

/** Whose word the figures of modelled chips are, of which the first one's name is given. */
export function basisOf(name: string | undefined): string {
  const chip = name === undefined ? undefined : modelledChip(name);
  if (chip === undefined) return 'modelled';
  return isByConstruction(chip)
    ? `${chip.name} as claimed, by construction`
    : `modelled ${chip.name}`;
}

/** Whole mebibytes. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / MIB);
}

function modelledChip(name: string): Chip | undefined {
  return CHIPS.find((chip) => productName(chip) === name);
}
