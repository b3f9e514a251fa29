import { type Bar, renderBars } from './bar-chart.ts';
import { BASELINE_CHIP } from './compare-loads.ts';
import type { ComparedRow } from './compare-rows.ts';
import { formatNumber, formatRange, formatShare } from './quantity.ts';
import { renderTable } from './table.ts';

const RATE_HEAD = [
  'Chips',
  'Software',
  'Output/s',
  'Processed/s',
  `× ${BASELINE_CHIP}`,
  'MFU',
  'Bound by: busy share of the step',
];
const COST_HEAD = [
  'Chips',
  'Software',
  'Output/s published',
  'ms a token',
  'kJ/M tokens',
  '$/M tokens',
];
const SWEEP_HEAD = [
  'In/out',
  'Chips',
  'Output/s',
  'Processed/s',
  `× ${BASELINE_CHIP}`,
  'MFU',
  'Bound by',
  '× static batches',
  '× one at a time',
];

/** What each row comes to, and why. */
export function tableOfRates(rows: readonly ComparedRow[]): string {
  const cells = rows.map((row) => [
    nameOf(row),
    `${row.version}, ${row.precision}`,
    formatNumber(row.output_throughput),
    processedOf(row),
    ratioOf(row),
    formatRange(row.mfu_range, wholeShare),
    busyOf(row),
  ]);
  return renderTable(RATE_HEAD, cells, { stream: process.stdout, textColumns: 2 });
}

/** What somebody measured of the same, and what a million tokens take. */
export function tableOfCosts(rows: readonly ComparedRow[]): string {
  const cells = rows.map((row) => [
    nameOf(row),
    row.version,
    publishedOf(row),
    formatNumber(row.mean_tpot_ms),
    formatRange(row.joules_per_million_tokens, (joules) => formatNumber(joules / 1000)),
    formatRange(row.dollars_per_million_tokens),
  ]);
  return renderTable(COST_HEAD, cells, { stream: process.stdout, textColumns: 2 });
}

/** Processed tokens per second as bars. */
export function plotOfRows(rows: readonly ComparedRow[]): string {
  const bars: readonly Bar[] = rows.map((row) => ({
    label: `${nameOf(row)} ${row.version}`,
    value: row.total_token_throughput_range,
    text: processedOf(row),
  }));
  return `Processed tokens/s, input and output; shaded: what is not known of the chip\n${renderBars(bars)}`;
}

/** The table of a sweep of lengths. */
export function tableOfSweep(rows: readonly ComparedRow[]): string {
  const cells = rows.map((row) => [
    `${row.input_tokens}/${row.output_tokens}`,
    nameOf(row),
    formatNumber(row.output_throughput),
    processedOf(row),
    ratioOf(row),
    formatRange(row.mfu_range, wholeShare),
    row.bound_by,
    row.batching_gain?.overStatic === undefined ? '–' : formatNumber(row.batching_gain.overStatic),
    formatNumber(row.batching_gain?.overSingle ?? 1),
  ]);
  return renderTable(SWEEP_HEAD, cells, { stream: process.stdout, textColumns: 2 });
}

/** Where a sweep uses arithmetic the most, and where continuous batching gains the most. */
export function bestOfSweep(rows: readonly ComparedRow[]): readonly string[] {
  const best = (of: (row: ComparedRow) => number): ComparedRow =>
    rows.reduce((most, row) => (of(row) > of(most) ? row : most));
  const gainOf = (row: ComparedRow): number => row.batching_gain?.overStatic ?? 0;
  const [busiest, gaining] = [best(({ mfu }) => mfu), best(gainOf)];
  const lengths = (row: ComparedRow): string => `${row.input_tokens}/${row.output_tokens}`;
  return [
    `Arithmetic is used the most at ${lengths(busiest)}: ${wholeShare(busiest.mfu)} of the peak of ${nameOf(busiest)}.`,
    `Continuous batching gains the most at ${lengths(gaining)}: ${formatNumber(gainOf(gaining))} × static batches on ${nameOf(gaining)}.`,
  ];
}

/** Chips and layout, such as "8 × H100 TP8". */
export function nameOf({ chip, chips, tp, pp }: ComparedRow): string {
  const replicas = chips / tp / pp;
  const layout = [tp > 1 || pp === 1 ? `TP${tp}` : '', pp > 1 ? `PP${pp}` : ''].join('');
  return `${chips} × ${chip} ${replicas > 1 ? `${replicas}×` : ''}${layout}`;
}

function processedOf(row: ComparedRow): string {
  return formatRange(row.total_token_throughput_range);
}

function ratioOf({ ratio, total_token_throughput: middle, ...row }: ComparedRow): string {
  if (ratio === null) return '–';
  const { low, high } = row.total_token_throughput_range;
  const scale = ratio / middle;
  return formatRange({ low: scale * low, high: scale * high }, (value) => value.toFixed(1));
}

/** The measurement and how far the model is from it. */
function publishedOf(row: ComparedRow): string {
  const { published_output_throughput: published, output_throughput: modelled } = row;
  if (published === null) return '–';
  const error = modelled / published - 1;
  return `${formatNumber(published)} (${error < 0 ? '' : '+'}${formatShare(error)})`;
}

/** What binds, and what else is busy for at least a tenth of the step. */
function busyOf({ busy, bound_by: binds }: ComparedRow): string {
  const shares = Object.entries(busy)
    .filter(([name, share]) => name !== binds && share >= 0.1)
    .map(([name, share]) => `${name} ${wholeShare(share)}`);
  return [`${binds} ${wholeShare(busy[binds])}`, ...shares].join(', ');
}

function wholeShare(share: number): string {
  return `${Math.round(100 * share)} %`;
}
