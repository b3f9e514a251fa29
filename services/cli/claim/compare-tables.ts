import { type Cell, cellOf, type Table } from '../../report/report.ts';
import { formatCell, formatNumber, formatShare } from '../models/quantity.ts';
import { BASELINE_CHIP } from './compare-loads.ts';
import type { ComparedRow } from './compare-rows.ts';

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
export function ratesTable(rows: readonly ComparedRow[]): Table {
  return {
    kind: 'table',
    caption: 'Tokens per second of all chips; processed tokens are input and output together',
    head: RATE_HEAD,
    textColumns: 2,
    rows: rows.map((row) => [
      nameOf(row),
      `${row.version}, ${row.precision}`,
      formatCell(row.output_throughput),
      processedOf(row),
      ratioOf(row),
      formatCell(row.mfu_range, wholeShare),
      busyOf(row),
    ]),
  };
}

/** What somebody measured of the same, and what a million tokens take. */
export function costsTable(rows: readonly ComparedRow[]): Table {
  return {
    kind: 'table',
    caption:
      'What somebody measured of the same, with the model’s error, and what a million tokens take',
    head: COST_HEAD,
    textColumns: 2,
    rows: rows.map((row) => [
      nameOf(row),
      row.version,
      publishedOf(row),
      formatCell(row.mean_tpot_ms),
      formatCell(row.joules_per_million_tokens, (joules) => formatNumber(joules / 1000)),
      formatCell(row.dollars_per_million_tokens),
    ]),
  };
}

/** The table of a sweep of lengths. */
export function sweepTable(rows: readonly ComparedRow[]): Table {
  return {
    kind: 'table',
    caption: 'Requests of the same total length, from long prompts to long outputs',
    head: SWEEP_HEAD,
    textColumns: 2,
    rows: rows.map((row) => [
      `${row.input_tokens}/${row.output_tokens}`,
      nameOf(row),
      formatCell(row.output_throughput),
      processedOf(row),
      ratioOf(row),
      formatCell(row.mfu_range, wholeShare),
      row.bound_by,
      row.batching_gain?.overStatic === undefined ? '–' : formatCell(row.batching_gain.overStatic),
      formatCell(row.batching_gain?.overSingle ?? 1),
    ]),
  };
}

/** Chips and layout, such as "8 × H100 TP8". */
export function nameOf({ chip, chips, tp, pp }: ComparedRow): string {
  const replicas = chips / tp / pp;
  const layout = [tp > 1 || pp === 1 ? `TP${tp}` : '', pp > 1 ? `PP${pp}` : ''].join('');
  return `${chips} × ${chip} ${replicas > 1 ? `${replicas}×` : ''}${layout}`;
}

/** Processed tokens per second, from the worst to the best of what the chip's figures allow. */
export function processedOf(row: ComparedRow): Cell {
  return formatCell(row.total_token_throughput_range);
}

/** The same over the baseline's. */
export function ratioOf({ ratio, total_token_throughput: middle, ...row }: ComparedRow): Cell {
  if (ratio === null) return '–';
  const { low, high } = row.total_token_throughput_range;
  const scale = ratio / middle;
  return formatCell({ low: scale * low, high: scale * high }, (value) => value.toFixed(1));
}

/** The measurement and how far the model is from it. */
function publishedOf(row: ComparedRow): Cell {
  const { published_output_throughput: published, output_throughput: modelled } = row;
  if (published === null) return '–';
  const error = modelled / published - 1;
  const text = `${formatNumber(published)} (${error < 0 ? '' : '+'}${formatShare(error)})`;
  return cellOf(published, text);
}

/** What binds, and what else is busy for at least a tenth of the step. */
function busyOf({ busy, bound_by: binds }: ComparedRow): string {
  const shares = Object.entries(busy)
    .filter(([name, share]) => name !== binds && share >= 0.1)
    .map(([name, share]) => `${name} ${wholeShare(share)}`);
  return [`${binds} ${wholeShare(busy[binds])}`, ...shares].join(', ');
}

/** A share as a whole percentage. */
export function wholeShare(share: number): string {
  return `${Math.round(100 * share)} %`;
}
