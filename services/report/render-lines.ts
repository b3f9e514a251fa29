import { html, type Markup } from './markup.ts';
import { renderTable } from './render-table.ts';
import { type Cell, cellOf, type LineChart, type LineCharts } from './report.ts';

/** Digits of the numbers beneath a plot. */
const DIGITS = 4;

/** Places for plots, each with its numbers beneath; `charts` takes what the script is to draw. */
export function renderLines(block: LineCharts, charts: LineChart[]): Markup {
  return html`<div class="plots">
${block.charts.map((chart) => renderChart(chart, charts))}
</div>`;
}

function renderChart(chart: LineChart, charts: LineChart[]): Markup {
  const number = charts.push(chart) - 1;
  return html`<figure>
<figcaption>${chart.caption}</figcaption>
<div class="plot" data-plot="${number}" aria-hidden="true"></div>
<details><summary>Numbers</summary>
${tableOf(chart)}
</details>
</figure>`;
}

function tableOf({ caption, x, xs, series }: LineChart): Markup {
  const numberCell = (value: number | null): Cell =>
    value === null ? '–' : cellOf(value, String(Number(value.toPrecision(DIGITS))));
  return renderTable({
    kind: 'table',
    caption,
    head: [x.label, ...series.map(({ label }) => label)],
    textColumns: 0,
    rows: xs.map((at, index) => [
      numberCell(at),
      ...series.map(({ values }) => numberCell(values[index]!)),
    ]),
  });
}
