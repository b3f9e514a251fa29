import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { CLAIMED_SOFTWARE } from '../../core/timing/software-version.ts';
import { textOfCell } from '../../report/report.ts';
import { formatNumber, formatRange } from '../models/quantity.ts';
import { type Bar, renderBars } from '../terminal/bar-chart.ts';
import type { ComparedRow } from './compare-rows.ts';
import { nameOf, processedOf, wholeShare } from './compare-tables.ts';

/** What the bars of a comparison show. */
export const BARS_CAPTION =
  'Processed tokens/s, input and output; shaded: what is not known of the chip';

/** What the gain over static batches is over. */
export const STATIC_NOTE =
  'Static batches: outputs from nothing to twice the mean (assumed), each batch as long as its longest.';

/** Processed tokens per second as bars. */
export function plotOfRows(rows: readonly ComparedRow[]): string {
  const bars: readonly Bar[] = rows.map((row) => ({
    label: `${nameOf(row)} ${row.version}`,
    value: row.total_token_throughput_range,
    text: textOfCell(processedOf(row)),
  }));
  return `${BARS_CAPTION}\n${renderBars(bars)}`;
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

/** What the rows of claimed chips rest on. */
export function notesOn(rows: readonly ComparedRow[]): readonly string[] {
  const claimed = rows.filter((row) => row.by_construction && row.version === CLAIMED_SOFTWARE);
  return claimed.flatMap((row) => {
    const links = formatRange(row.link_utilization_range, wholeShare);
    const memory = formatRange(row.hbm_utilization_range, wholeShare);
    return [
      `${row.chip} ${row.version}: input, by construction. ${findChip(row.chip).notes[0]}`,
      `It takes memory and links for granted; it would use ${memory} of the assumed memory bandwidth and ${links} of the`,
      `assumed links. Rows with ideal software pay for both. What would have to be true: sohu audit.`,
    ];
  });
}
