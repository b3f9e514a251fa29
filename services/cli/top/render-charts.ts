import { areaChart, chartCapacity, roundTop } from '../terminal/area-chart.ts';
import { formatMs, formatShare } from '../terminal/format.ts';
import { type Line, type LineOptions, type Span, span } from '../terminal/styled-line.ts';
import { fitText } from '../terminal/text-width.ts';
import { compactNumber } from './compact-number.ts';
import type { History } from './history.ts';

interface Chart {
  readonly title: string;
  readonly values: (history: History) => readonly number[];
  readonly format: (value: number) => string;
  /** The most that there can be. */
  readonly most: number;
}

const CHARTS: readonly Chart[] = [
  {
    title: 'Tokens/s',
    values: ({ tokensPerSecond }) => tokensPerSecond,
    format: compactNumber,
    most: Number.POSITIVE_INFINITY,
  },
  { title: 'MFU', values: ({ mfu }) => mfu, format: formatShare, most: 1 },
  { title: 'KV use', values: ({ kvUsage }) => kvUsage, format: formatShare, most: 1 },
  {
    title: 'Step',
    values: ({ stepMs }) => stepMs,
    format: (ms) => (ms > 0 ? formatMs(ms) : '-'),
    most: Number.POSITIVE_INFINITY,
  },
];
const GAP = 2;
const LEAST_WIDTH = 16;

/** The charts beside each other, `height` lines below a title; each with the value at its upper edge. */
export function renderCharts(history: History, height: number, options: LineOptions): Line[] {
  const fitting = Math.floor((options.width + GAP) / (LEAST_WIDTH + GAP));
  const charts = CHARTS.slice(0, Math.max(1, fitting));
  const width = Math.max(1, Math.floor((options.width + GAP) / charts.length) - GAP);
  const rendered = charts.map((chart) => renderChart(chart, history, { width, height, options }));
  return Array.from({ length: height + 1 }, (_, row) =>
    rendered.flatMap((lines, index) => [
      ...(index > 0 ? [span(' '.repeat(GAP))] : []),
      ...lines[row]!,
    ]),
  );
}

function renderChart(
  { title, values, format, most }: Chart,
  history: History,
  place: { readonly width: number; readonly height: number; readonly options: LineOptions },
): Line[] {
  const { width, height, options } = place;
  const { glyphs } = options;
  const all = values(history);
  const shown = all.slice(Math.max(0, all.length - chartCapacity(width, glyphs)));
  const top = Math.min(most, roundTop(Math.max(0, ...shown)));
  const rows = areaChart(shown, { width, height, top }, glyphs);
  const now = all.length === 0 ? '' : ` ${format(all.at(-1)!)}`;
  return [
    titleLine({ title, now, top: `0-${format(top)}` }, place),
    ...rows.map((row) => [span(row, 'accent')]),
  ];
}

function titleLine(
  { title, now, top }: { readonly title: string; readonly now: string; readonly top: string },
  { width, options }: { readonly width: number; readonly options: LineOptions },
): Span[] {
  const { mark } = options.glyphs;
  const named = fitText(title, Math.min(title.length, width), { mark });
  const valued = fitText(now, Math.min(now.length, width - named.length), { mark });
  const left = width - named.length - valued.length;
  const edge = top.length + 2 <= left ? `  ${top}` : '';
  return [
    span(named),
    span(valued, 'bold'),
    span(edge, 'faint'),
    span(' '.repeat(left - edge.length)),
  ];
}
