import { html, type Markup } from './markup.ts';
import type { Cell, Table } from './report.ts';

/** A table whose numbers carry what they are beside how they are printed. */
export function renderTable({ caption, head, textColumns, rows }: Table): Markup {
  return html`<div class="scroll"><table class="${head.length === 2 ? 'pairs' : 'wide'}">
<caption>${caption}</caption>
<thead><tr>${head.map((title, column) => headCell(title, column >= textColumns))}</tr></thead>
<tbody>
${rows.map((row) => renderRow(row, textColumns))}
</tbody>
</table></div>`;
}

/** The first cell of text names the row. */
function renderRow(row: readonly Cell[], textColumns: number): Markup {
  const cells = row.map((cell, column) =>
    column === 0 && textColumns > 0
      ? html`<th scope="row">${renderCell(cell)}</th>`
      : bodyCell(cell, column >= textColumns),
  );
  return html`<tr>${cells}</tr>`;
}

/** The head of a column. */
export function headCell(title: string, isRight: boolean): Markup {
  return isRight
    ? html`<th scope="col" class="number">${title}</th>`
    : html`<th scope="col">${title}</th>`;
}

/** A cell of a row. */
export function bodyCell(cell: Cell, isRight: boolean): Markup {
  const content = renderCell(cell);
  return isRight ? html`<td class="number">${content}</td>` : html`<td>${content}</td>`;
}

/** Whether a cell holds numbers. */
export function isNumber(cell: Cell | undefined): boolean {
  return typeof cell === 'object';
}

/** A text, or numbers with their values for programs. */
export function renderCell(cell: Cell): Markup {
  return typeof cell === 'string'
    ? html`${cell}`
    : html`<data value="${cell.values.join(' ')}">${cell.text}</data>`;
}
