import Table from 'cli-table3';
import { type Table as TableBlock, textOfCell } from '../../report/report.ts';
import { colorsFor } from './format.ts';

/** Lines between the rows would double the height. */
const NO_RULES = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** A table for a terminal; the first `textColumns` columns are left-aligned, the others are numbers. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly stream: NodeJS.WriteStream; readonly textColumns: number },
): string {
  const { bold } = colorsFor(options.stream);
  const table = new Table({
    head: head.map((title) => bold(title)),
    style: { head: [], border: [] },
    chars: NO_RULES,
    colAligns: head.map((_, column) => (column < options.textColumns ? 'left' : 'right')),
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** The table of a report, for standard output or as Markdown. */
export function printedTable(
  { head, rows, textColumns }: Omit<TableBlock, 'kind' | 'caption'>,
  markdown = false,
): string {
  const texts = rows.map((row) => row.map(textOfCell));
  if (!markdown) return renderTable(head, texts, { stream: process.stdout, textColumns });
  const rule = head.map((_, column) => (column < textColumns ? '---' : '---:'));
  return [head, rule, ...texts].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
