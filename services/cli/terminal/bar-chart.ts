import type { Range } from '../../core/hardware/figure.ts';

/** One line of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: Range;
  /** Printed after the bar. */
  readonly text: string;
}

const WIDTH = 48;

/**
 * Horizontal bars from 0 for a terminal or a text file: solid up to the low end, shaded up to the
 * high end, with a line at `mark`.
 */
export function renderBars(bars: readonly Bar[], mark?: number): string {
  const largest = Math.max(mark ?? 0, ...bars.map(({ value }) => value.high));
  const columnOf = (value: number): number => Math.round((WIDTH * value) / largest);
  const labelWidth = Math.max(...bars.map(({ label }) => [...label].length));
  return bars
    .map(({ label, value, text }) => {
      const solid = columnOf(value.low);
      const cells = '█'.repeat(solid) + '░'.repeat(columnOf(value.high) - solid);
      return `${label.padEnd(labelWidth)} ${withMark(cells, mark, columnOf)} ${text}`;
    })
    .join('\n');
}

function withMark(
  cells: string,
  mark: number | undefined,
  columnOf: (value: number) => number,
): string {
  const padded = [...cells.padEnd(WIDTH)];
  if (mark === undefined) return padded.join('');
  padded.splice(columnOf(mark), columnOf(mark) < WIDTH ? 1 : 0, '┃');
  return padded.join('').padEnd(WIDTH + 1);
}
