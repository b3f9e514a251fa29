import { html, type Markup, when } from './markup.ts';
import { bodyCell, headCell, isNumber } from './render-table.ts';
import type { BarChart, BarRow, BarSpan } from './report.ts';

/** Styles of the spans that the page has. */
const STYLES = 6;

/** Bars within the rows of a table, so that what is drawn and what is written are one. */
export function renderBars({ caption, head, rows, legend, mark }: BarChart): Markup {
  const ends = rows.flatMap(({ spans }) => spans.map(({ to }) => to));
  const largest = Math.max(mark?.value ?? 0, ...ends, Number.MIN_VALUE);
  const percentOf = (value: number): string => ((100 * value) / largest).toFixed(2);
  const line = when(
    mark !== undefined,
    () => html`<i class="mark" style="left:${percentOf(mark!.value)}%"></i>`,
  );
  const [labels, ...titles] = head;
  const heads = titles.map((title, column) => headCell(title, isNumber(rows[0]?.cells[column])));
  return html`<div class="scroll"><table class="bars">
<caption>${caption}${renderLegend(legend, mark?.label)}</caption>
<thead><tr>${headCell(labels!, false)}<td></td>${heads}</tr></thead>
<tbody>
${rows.map((row) => renderRow(row, line, percentOf))}
</tbody>
</table></div>`;
}

function renderRow(row: BarRow, line: Markup, percentOf: (value: number) => string): Markup {
  const spanOf = ({ from, to, style }: BarSpan): Markup => {
    const name = style === 'shaded' ? 'shaded' : `s${style % STYLES}`;
    return html`<i class="${name}" style="left:${percentOf(from)}%;width:${percentOf(to - from)}%"></i>`;
  };
  const bar = html`<td class="bar" aria-hidden="true"><div>${row.spans.map(spanOf)}${line}</div></td>`;
  const cells = row.cells.map((cell) => bodyCell(cell, isNumber(cell)));
  return html`<tr><th scope="row">${row.label}</th>${bar}${cells}</tr>`;
}

function renderLegend(legend: readonly string[], mark: string | undefined): Markup {
  const entries = legend.map(
    (text, style) => html`<span><i class="s${style % STYLES}"></i>${text}</span>`,
  );
  const line = mark === undefined ? [] : [html`<span><i class="mark"></i>${mark}</span>`];
  return when(
    entries.length + line.length > 0,
    () => html`<span class="legend">${[...entries, ...line]}</span>`,
  );
}
