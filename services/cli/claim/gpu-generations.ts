import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { type Density, densityOf, growthOf } from '../../core/hardware/density.ts';
import { type Range, rangeOf } from '../../core/hardware/figure.ts';
import { cellOf, type Table } from '../../report/report.ts';
import { formatCell, formatQuantity, formatRange } from '../models/quantity.ts';

/** NVIDIA's data-centre chips, oldest first. */
const GENERATIONS: readonly string[] = ['A100', 'H100', 'H200', 'B200'];
const HEAD = [
  'GPU',
  'Process',
  'Dense bf16',
  'Dies, mm²',
  'a mm²',
  'a chip ×',
  'a mm² ×',
  'a watt ×',
];

/** One generation and what it has over the one before; null for the first. */
export interface Generation {
  readonly chip: string;
  readonly bf16_flops: number;
  readonly die_mm2: Range;
  readonly bf16_flops_per_mm2: Range;
  readonly per_chip_growth: number | null;
  readonly per_mm2_growth: Range | null;
  readonly per_watt_growth: number | null;
}

/** What each generation brought, by the chip, by its area and by its power. */
export function gpuGenerations(): readonly Generation[] {
  const densities = GENERATIONS.flatMap((name) => densityOf(findChip(name)) ?? []);
  return densities.map((density, index) => {
    const before = densities[index - 1];
    const growth = before && growthOf({ from: before, to: density });
    return {
      chip: density.chip.name,
      bf16_flops: density.flopsPerSecond,
      die_mm2: density.squareMillimetres,
      bf16_flops_per_mm2: density.flopsPerSquareMillimetre,
      per_chip_growth: growth?.perChip ?? null,
      per_mm2_growth: growth?.perSquareMillimetre ?? null,
      per_watt_growth: before ? perWatt(density) / perWatt(before) : null,
    };
  });
}

/** The same as a table. */
export function generationsTable(generations: readonly Generation[]): Table {
  const times = (growth: number | Range | null) =>
    growth === null ? '' : formatCell(growth, (value) => value.toFixed(2));
  return {
    kind: 'table',
    caption: 'GPU generations, each × over the one before',
    head: HEAD,
    textColumns: 2,
    rows: generations.map((line) => [
      line.chip,
      findChip(line.chip).process,
      cellOf(line.bf16_flops, `${formatQuantity(line.bf16_flops)}FLOP/s`),
      formatCell(line.die_mm2),
      cellOf(
        line.bf16_flops_per_mm2,
        `${formatRange(line.bf16_flops_per_mm2, formatQuantity)}FLOP/s`,
      ),
      times(line.per_chip_growth),
      times(line.per_mm2_growth),
      times(line.per_watt_growth),
    ]),
  };
}

/** Whether each generation's arithmetic came with its area, or from a better use of it. */
export function verdictsOnGenerations(generations: readonly Generation[]): readonly string[] {
  return generations.flatMap(verdictOn);
}

function verdictOn({ chip, per_chip_growth: perChip, per_mm2_growth: perArea }: Generation) {
  if (perChip === null || perArea === null || perChip <= 1) return [];
  const better = perArea.low > 1 && perArea.high >= perChip;
  const growth = formatRange(perArea, (value) => value.toFixed(2));
  return [
    `${chip}: ${perChip.toFixed(2)} times the arithmetic a chip, ${growth} times a mm²: ${better ? 'better' : 'bigger, more than better'}.`,
  ];
}

function perWatt({ chip, flopsPerSecond }: Density): number {
  return flopsPerSecond / rangeOf(chip.powerWatts).high;
}
