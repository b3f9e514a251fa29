import Table from 'cli-table3';
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

/** The same as a Markdown table. */
function renderMarkdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns: number,
): string {
  const rule = head.map((_, column) => (column < textColumns ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Renders a table: its head, its rows, and how many columns are text. */
export type TableRenderer = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns: number,
) => string;

/** Tables for standard output, as Markdown or for a terminal. */
export function makeTableRenderer(markdown: boolean): TableRenderer {
  return (head, rows, textColumns) =>
    markdown
      ? renderMarkdownTable(head, rows, textColumns)
      : renderTable(head, rows, { stream: process.stdout, textColumns });
}
