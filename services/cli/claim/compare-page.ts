import type { Bottleneck } from '../../core/timing/step-price.ts';
import {
  type BarChart,
  type LineChart,
  type Report,
  spansOfParts,
  spansOfRange,
} from '../../report/report.ts';
import { formatCell, formatShare } from '../models/quantity.ts';
import type { ComparedRow, Comparison } from './compare-rows.ts';
import {
  costsTable,
  nameOf,
  processedOf,
  ratesTable,
  ratioOf,
  sweepTable,
} from './compare-tables.ts';
import { BARS_CAPTION, bestOfSweep, notesOn, STATIC_NOTE } from './compare-text.ts';
import { type Generation, generationsTable, verdictsOnGenerations } from './gpu-generations.ts';

const PARTS: readonly Bottleneck[] = ['compute', 'memory', 'collectives', 'overhead'];

/** Chips side by side under one load. */
export function pageOfComparison(
  title: string,
  { rows, refused }: Comparison,
  generations: readonly Generation[] | undefined,
): Report {
  return {
    title,
    lead: [notesOn(rows).join(' '), ...refused].filter((line) => line !== ''),
    sections: [
      { title: 'Throughput', blocks: [throughputBars(rows), ratesTable(rows)] },
      { title: 'What binds', blocks: [busyBars(rows)] },
      { title: 'Measured, energy and cost', blocks: [costBars(rows), costsTable(rows)] },
      ...(generations === undefined ? [] : [sectionOf(generations)]),
    ],
  };
}

function throughputBars(rows: readonly ComparedRow[]): BarChart {
  return {
    kind: 'bars',
    caption: BARS_CAPTION,
    head: ['Chips', 'Processed/s', '× H100'],
    legend: [],
    rows: rows.map((row) => ({
      label: labelOf(row),
      spans: spansOfRange(row.total_token_throughput_range),
      cells: [processedOf(row), ratioOf(row)],
    })),
  };
}

function busyBars(rows: readonly ComparedRow[]): BarChart {
  return {
    kind: 'bars',
    caption: 'Busy shares of a step; what overlaps adds up to more than 100 %.',
    head: ['Chips', ...PARTS],
    legend: PARTS,
    rows: rows.map((row) => ({
      label: labelOf(row),
      spans: spansOfParts(PARTS.map((part) => row.busy[part])),
      cells: PARTS.map((part) => formatCell(row.busy[part], formatShare)),
    })),
  };
}

function costBars(rows: readonly ComparedRow[]): BarChart {
  return {
    kind: 'bars',
    caption:
      'Dollars per million processed tokens; shaded: prices, lifetimes and power that are not known',
    head: ['Chips', '$/M tokens'],
    legend: [],
    rows: rows.map((row) => ({
      label: labelOf(row),
      spans: spansOfRange(row.dollars_per_million_tokens),
      cells: [formatCell(row.dollars_per_million_tokens)],
    })),
  };
}

function sectionOf(generations: readonly Generation[]) {
  const lines = verdictsOnGenerations(generations);
  return {
    title: 'GPU generations',
    blocks: [generationsTable(generations), { kind: 'notes', lines } as const],
  };
}

/** The same chips from long prompts to long outputs. */
export function pageOfSweep(title: string, { rows, refused }: Comparison): Report {
  const charts = [
    chartOf(rows, 'Processed tokens/s', (row) => row.total_token_throughput),
    chartOf(rows, 'MFU, %', (row) => 100 * row.mfu),
    chartOf(rows, '× static batches', (row) => row.batching_gain?.overStatic ?? null),
    chartOf(rows, '× one request at a time', (row) => row.batching_gain?.overSingle ?? null),
  ];
  return {
    title,
    lead: [...bestOfSweep(rows), STATIC_NOTE, ...refused],
    sections: [
      { title: 'From long prompts to long outputs', blocks: [{ kind: 'lines', charts }] },
      { title: 'Every point', blocks: [sweepTable(rows)] },
    ],
  };
}

/** One line a chip over the output tokens of a request; no point where it does not fit. */
function chartOf(
  rows: readonly ComparedRow[],
  label: string,
  of: (row: ComparedRow) => number | null,
): LineChart {
  const xs = [...new Set(rows.map((row) => row.output_tokens))];
  const names = [...new Set(rows.map(labelOf))];
  const pointOf = (name: string, tokens: number): number | null => {
    const row = rows.find((each) => labelOf(each) === name && each.output_tokens === tokens);
    return row === undefined ? null : of(row);
  };
  return {
    caption: label,
    x: { label: 'output tokens of a request' },
    y: { label },
    xs,
    series: names.map((name) => ({
      label: name,
      values: xs.map((tokens) => pointOf(name, tokens)),
    })),
  };
}

function labelOf(row: ComparedRow): string {
  return `${nameOf(row)}, ${row.version}`;
}
