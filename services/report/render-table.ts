import { html, type Markup } from './markup.ts';
import type { Cell, Table } from './report.ts';

/** A table whose numbers carry what they are beside how they are printed. */
export function renderTable({ caption, head, textColumns, rows }: Table): Markup {
  return html`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((title, column) => headCell(title, column >= textColumns))}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, column) => bodyCell(cell, column, textColumns))}</tr>`)}
</tbody>
</table></div>`;
}

/** The head of a column. */
export function headCell(title: string, isNumber: boolean): Markup {
  return isNumber
    ? html`<th scope="col" class="number">${title}</th>`
    : html`<th scope="col">${title}</th>`;
}

/** A cell of a row, the first of which names the row. */
export function bodyCell(cell: Cell, column: number, textColumns: number): Markup {
  const content = renderCell(cell);
  if (column === 0 && textColumns > 0) return html`<th scope="row">${content}</th>`;
  return column < textColumns
    ? html`<td>${content}</td>`
    : html`<td class="number">${content}</td>`;
}

/** A text, or numbers with their values for programs. */
export function renderCell(cell: Cell): Markup {
  return typeof cell === 'string'
    ? html`${cell}`
    : html`<data value="${cell.values.join(' ')}">${cell.text}</data>`;
}
