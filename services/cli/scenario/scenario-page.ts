import { type BarChart, type Report, spansOfParts, spansOfRange } from '../../report/report.ts';
import { formatCell } from '../models/quantity.ts';
import type { ScenarioResult, ScenarioRow } from './scenario-rows.ts';
import {
  assumptionsTable,
  headOf,
  measureCell,
  measuresTable,
  nameOf,
  notesOn,
  partsTable,
  saidOf,
  secondsOf,
  softwareOf,
  usedParts,
} from './scenario-tables.ts';

/** A scenario with bars: what the vendor speaks of, where its time goes, and what it costs. */
export function pageOfScenario(result: ScenarioResult): Report {
  const { scenario } = result;
  const last = result.rows[0]!.measures.length - 1;
  return {
    title: scenario.title,
    lead: [saidOf(scenario)],
    sections: [
      { title: 'What it comes to', blocks: [measureBars(result, 0), measuresTable(result)] },
      { title: 'Where the time goes', blocks: [partsBars(result), partsTable(result)] },
      { title: 'What it costs', blocks: [measureBars(result, last)] },
      { title: 'What is assumed', blocks: [assumptionsTable(scenario)] },
      { title: 'What to know', blocks: [{ kind: 'notes', lines: notesOn(result) }] },
    ],
  };
}

/** One measure of every chip, and what is said of it where that is a number. */
function measureBars({ scenario, rows }: ScenarioResult, index: number): BarChart {
  const head = headOf(rows[0]!.measures[index]!);
  const said = index === 0 ? scenario.said.value : undefined;
  return {
    kind: 'bars',
    caption: `${head}; shaded: what is not known of the chip`,
    head: ['Chips', head],
    legend: [],
    ...(said !== undefined && { mark: { value: said, label: `said of today: ${said}` } }),
    rows: rows.map((row) => {
      const measure = row.measures[index]!;
      return {
        label: labelOf(row),
        spans: measure.range === null ? [] : spansOfRange(measure.range),
        cells: [measureCell(measure)],
      };
    }),
  };
}

function partsBars(result: ScenarioResult): BarChart {
  const used = usedParts(result);
  return {
    kind: 'bars',
    caption: 'Seconds of one use, alone on the chips',
    head: ['Chips', 'Seconds'],
    legend: used,
    rows: result.rows.map((row) => ({
      label: labelOf(row),
      spans: spansOfParts(used.map((part) => row.parts[part])),
      cells: [formatCell(secondsOf(row))],
    })),
  };
}

function labelOf(row: ScenarioRow): string {
  return `${nameOf(row)}, ${softwareOf(row)}`;
}
