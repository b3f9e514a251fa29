import { chipCount } from '../../core/timing/layout.ts';
import { isByConstruction } from '../../core/timing/load-price.ts';
import { type Cell, cellOf, type Table } from '../../report/report.ts';
import type { SpreadMeasure } from '../../sim/vendor-scenarios/spread.ts';
import {
  LATENCY_PARTS,
  type LatencyParts,
  type MeasureUnit,
  type VendorScenario,
} from '../../sim/vendor-scenarios/vendor-scenario.ts';
import { caveats } from '../models/price-parts.ts';
import { formatCell, formatNumber, formatShare } from '../models/quantity.ts';
import type { ScenarioResult, ScenarioRow } from './scenario-rows.ts';

/** Units that the head of a column names. */
const SHOWN_UNITS: readonly MeasureUnit[] = ['ms', 's', 'min'];

/** Every measure of every chip. */
export function measuresTable({ rows }: ScenarioResult): Table {
  return {
    kind: 'table',
    caption: 'Device time; ranges are what is not known of a chip, of its price and of its power',
    head: ['Chips', 'Software', ...rows[0]!.measures.map(headOf)],
    textColumns: 2,
    rows: rows.map((row) => [nameOf(row), softwareOf(row), ...row.measures.map(measureCell)]),
  };
}

/** The parts of the time that any of the chips spends. */
export function usedParts({ rows }: ScenarioResult): readonly (keyof LatencyParts)[] {
  return LATENCY_PARTS.filter((part) => rows.some(({ parts }) => parts[part] > 0));
}

/** Where the seconds of one use go. */
export function partsTable(result: ScenarioResult): Table {
  const { rows } = result;
  const used = usedParts(result);
  return {
    kind: 'table',
    caption: 'Seconds of one use alone on the chips, in the middle of what is known of them',
    head: ['Chips', 'Software', ...used, 'together'],
    textColumns: 2,
    rows: rows.map((row) => [
      nameOf(row),
      row.placed.software.name,
      ...used.map((part) => formatCell(row.parts[part])),
      formatCell(secondsOf(row)),
    ]),
  };
}

/** What goes into the scenario, and from where. */
export function assumptionsTable({ assumptions }: VendorScenario): Table {
  return {
    kind: 'table',
    caption: 'The numbers that go into it',
    head: ['Assumption', 'Source', 'Value'],
    textColumns: 2,
    rows: assumptions.map(({ name, value, unit, source }) => [
      name,
      source,
      cellOf(value, `${formatNumber(value)} ${unit}`.trimEnd()),
    ]),
  };
}

/** What a reader must know beside the numbers. */
export function notesOn({ scenario, rows, refused }: ScenarioResult): readonly string[] {
  const { precision, layout } = rows[0]!.placed;
  const chips = `${scenario.model} on ${chipCount(layout)} chips of each kind as tensor-parallel ranks`;
  const common = `${chips}, weights and KV cache in ${precision.weights}; prices and power: sohu chips.`;
  return [
    ...new Set([common, ...scenario.caveats, ...rows.flatMap(({ placed }) => caveats(placed))]),
    ...refused,
  ];
}

/** The vendor's words. */
export function saidOf({ said }: VendorScenario): string {
  return `Etched: ${said.text} (${said.source}).`;
}

/** Chips and layout, such as "8 × H100". */
export function nameOf({ placed: { chip, layout } }: ScenarioRow): string {
  return `${chipCount(layout)} × ${chip.name}`;
}

/** The software, and whether the row only restates what it rests on. */
export function softwareOf({ placed: { chip, software } }: ScenarioRow): string {
  return isByConstruction(chip) ? `${software.name} (input, by construction)` : software.name;
}

/** Of one use alone. */
export function secondsOf({ parts }: ScenarioRow): number {
  return LATENCY_PARTS.reduce((sum, part) => sum + parts[part], 0);
}

/** The name of a measure with its unit. */
export function headOf({ name, unit }: SpreadMeasure): string {
  return SHOWN_UNITS.includes(unit) ? `${name}, ${unit}` : name;
}

/** Its value or range; none where nothing keeps the goals. */
export function measureCell({ unit, range }: SpreadMeasure): Cell {
  if (range === null) return 'none';
  return formatCell(range, unit === 'share' ? formatShare : formatNumber);
}
