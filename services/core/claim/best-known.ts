import type { Chip, Format } from '../hardware/chip.ts';
import { CHIPS } from '../hardware/chip-catalogue.ts';
import { type Figure, rangeOf } from '../hardware/figure.ts';

/** The best that any chip of the catalogue is known for. */
export interface BestKnown {
  readonly value: number;
  readonly chip: Chip;
  readonly source: string;
}

/** Energy of a FLOP in the best product that was measured on a chip, within its power limit where that is known. */
export interface MeasuredEnergy {
  readonly chip: Chip;
  readonly joules: number;
  /** Or a burst, which no power limit slows: the chip draws more than its rated power meanwhile. */
  readonly isSustained: boolean;
  readonly source: string;
}

/** Chips with stacked memory whose figures restate no claim: what a server of eight can be compared with. */
const KNOWN: readonly Chip[] = CHIPS.filter(
  (chip) =>
    hasStackedMemory(chip) &&
    !Object.values(chip.peakFlops).some(({ byConstruction }) => byConstruction),
);

/** Whether a chip is of the class that serves large models. */
export function hasStackedMemory({ memoryKind }: Chip): boolean {
  return /^HBM/i.test(memoryKind);
}

/** The largest figure of that kind, and whose it is; undefined where no chip has one. */
export function bestKnown(figureOf: (chip: Chip) => Figure | undefined): BestKnown | undefined {
  const all = KNOWN.flatMap((chip) => {
    const figure = figureOf(chip);
    if (figure === undefined) return [];
    return [{ value: rangeOf(figure).high, chip, source: figure.source }];
  });
  return all.length === 0
    ? undefined
    : all.reduce((best, next) => (next.value > best.value ? next : best));
}

/** Chips on which a product of that format was measured, the most frugal first. */
export function bestEnergyPerFlop(format: Format): readonly MeasuredEnergy[] {
  return KNOWN.flatMap((chip) => {
    const sustained = chip.sustainedGemmFlops?.[format];
    const best = sustained ?? chip.bestGemmFlops?.[format];
    if (best?.origin !== 'measured') return [];
    const joules = rangeOf(chip.powerWatts).high / rangeOf(best).high;
    return [{ chip, joules, isSustained: sustained !== undefined, source: best.source }];
  }).sort((a, b) => a.joules - b.joules);
}
