import type { BoardPanel } from './boards.ts';
import type { Line } from './prometheus-server.ts';

/** A panel, and what its queries gave. */
export interface DataPanel extends BoardPanel {
  readonly series: readonly { readonly legend: string; readonly lines: readonly Line[] }[];
}

interface NamedLine {
  readonly name: string;
  readonly points: Line['points'];
}

const COLORS = [
  '#73bf69',
  '#f2cc0c',
  '#8ab8ff',
  '#ff780a',
  '#f2495c',
  '#b877d9',
  '#5794f2',
  '#ffb357',
];
const WIDTH = 400;
const HEIGHT = 160;

/** A panel of a dashboard as HTML, in its place on a grid of 24 columns. */
export function panelHtml(panel: DataPanel): string {
  const { board, title, type, place } = panel;
  const { x, y, w, h } = place;
  const style = `grid-column: ${x + 1} / span ${w}; grid-row: ${y + 1} / span ${h}`;
  if (type === 'row') return `<h2 style="${style}">${toHtml(title)}</h2>`;
  const lines = panel.series.flatMap(({ legend, lines: found }) =>
    found.flatMap(({ labels, points }) => {
      const finite = points.filter(([, value]) => Number.isFinite(value));
      return finite.length === 0 ? [] : [{ name: legendOf(legend, labels), points: finite }];
    }),
  );
  const body = type === 'stat' ? valueHtml(lines, panel.unit) : chartHtml(lines, panel.unit);
  return `<article style="${style}" data-name="${board}: ${toHtml(title)}"><h3>${toHtml(title)}</h3>${body}</article>`;
}

function valueHtml(lines: readonly NamedLine[], unit: string): string {
  const values = lines.map(({ points }) => formatValue(points.at(-1)![1], unit));
  return `<div class="value">${values.join(' ')}</div>`;
}

function chartHtml(lines: readonly NamedLine[], unit: string): string {
  const times = lines.flatMap(({ points }) => points.map(([seconds]) => seconds));
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const top = Math.max(...values) || 1;
  const path = ({ points }: NamedLine): string =>
    points
      .map(([seconds, value], index) => {
        const x = (WIDTH * (seconds - from)) / (to - from || 1);
        const y = HEIGHT - 2 - ((HEIGHT - 4) * value) / top;
        return `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
      })
      .join('');
  const paths = lines.map(
    (line, index) => `<path d="${path(line)}" stroke="${COLORS[index % COLORS.length]}"/>`,
  );
  const legend = lines.map(
    ({ name, points }, index) =>
      `<span style="color: ${COLORS[index % COLORS.length]}">${toHtml(name)} ${formatValue(points.at(-1)![1], unit)}</span>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">${paths.join('')}</svg><footer>${legend.join(' · ')}</footer>`;
}

function legendOf(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '');
}

const PREFIXES: readonly (readonly [from: number, prefix: string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'µ'],
  [1e-9, 'n'],
];

/** Much as Grafana writes it. */
function formatValue(value: number, unit: string): string {
  if (unit === 'percentunit') return `${(100 * value).toPrecision(3)} %`;
  if (value === 0) return '0';
  const [from, prefix] = PREFIXES.find(([least]) => Math.abs(value) >= least) ?? [1, ''];
  const suffix = { s: 's', bytes: 'B', Bps: 'B/s', watt: 'W', joule: 'J', flops: 'FLOP/s' }[unit];
  return `${Number((value / from).toPrecision(3))} ${prefix}${suffix ?? ''}`.trim();
}

function toHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
