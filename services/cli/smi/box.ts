import { fitText, safeText } from '../terminal/text-width.ts';

/** Widths between the bars of a row, of which there is one more than of cells. */
export type Widths = readonly number[];

/** Columns of the whole table, which are those of nvidia-smi's. */
export const TABLE_WIDTH = 79;
/** One cell, as wide as the table. */
export const WHOLE: Widths = [TABLE_WIDTH - 2];

const MARK = '...';

/** A text in exactly `width` columns; one that is too long ends in dots. */
export function field(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const mark = width > MARK.length ? MARK : '';
  return fitText(safeText(text), width, { align, mark });
}

export function row(cells: readonly string[], widths: Widths): string {
  return `|${widths.map((width, index) => field(cells[index] ?? '', width)).join('|')}|`;
}

/** A line between rows; `ends` are its first and last sign, `joint` where two cells meet. */
export function rule(
  widths: Widths,
  { ends = '+', joint = '+', sign = '-' }: Partial<Record<'ends' | 'joint' | 'sign', string>> = {},
): string {
  return `${ends[0]}${widths.map((width) => sign.repeat(width)).join(joint)}${ends.at(-1)}`;
}
