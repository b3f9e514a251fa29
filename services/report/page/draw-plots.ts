// Runs in the page of a report: draws the plots whose data the page holds.
import type UPlot from 'uplot';
import type { Axis, LineChart } from '../report.ts';

declare const uPlot: typeof UPlot;

const HEIGHT = 240;
const COLORS = 6;
const FONT = '12px system-ui, sans-serif';
/** Room for the numbers of an axis, and for its label. */
const GUTTER = 58;
const LABEL_SIZE = 22;

const root = document.documentElement;
const places = [...document.querySelectorAll<HTMLElement>('[data-plot]')];
const charts = JSON.parse(document.getElementById('plots')!.textContent!) as readonly LineChart[];
let drawn: UPlot[] = [];

draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
addEventListener('resize', fit);
addEventListener('beforeprint', () => {
  root.dataset.print = '';
  draw();
});
addEventListener('afterprint', () => {
  delete root.dataset.print;
  draw();
});

function draw(): void {
  for (const plot of drawn) plot.destroy();
  drawn = places.map((place) => drawChart(place, charts[Number(place.dataset.plot)]!));
}

function fit(): void {
  places.forEach((place, index) => {
    drawn[index]!.setSize({ width: place.clientWidth, height: HEIGHT });
  });
}

function drawChart(place: HTMLElement, chart: LineChart): UPlot {
  const { isTransposed, x, y, xs, series } = chart;
  const options: UPlot.Options = {
    width: place.clientWidth,
    height: HEIGHT,
    scales: {
      x: { time: false, ori: isTransposed ? 1 : 0, ...rangeOf(x) },
      y: { ori: isTransposed ? 0 : 1, ...rangeOf(y) },
    },
    axes: [axisOf(x, isTransposed ? 3 : 2), axisOf(y, isTransposed ? 2 : 3)],
    series: [
      { label: x.label, value: shortNumber },
      ...series.map(({ label }, index) => ({
        label,
        stroke: seriesColor(index),
        width: 1.75,
        points: { show: false },
        value: shortNumber,
      })),
    ],
    legend: { markers: { width: 0, fill: (_plot, index) => seriesColor(index - 1) } },
  };
  const data = [xs, ...series.map(({ values }) => values)] as UPlot.AlignedData;
  return new uPlot(options, data, place);
}

/** From 0 where nothing else is said. */
function rangeOf({ range }: Axis): UPlot.Scale {
  if (range !== undefined) return { range: [range[0], range[1]] };
  return { range: (_plot, _least, most) => [0, most > 0 ? 1.05 * most : 1] };
}

function axisOf({ label, unit }: Axis, side: 2 | 3): UPlot.Axis {
  const [text, line] = [colorOf('--soft'), colorOf('--grid')];
  const end = unit === undefined ? '' : ` ${unit}`;
  return {
    // Of an upright axis the caption tells it.
    ...(side === 2 && { label }),
    side,
    stroke: text,
    font: FONT,
    labelFont: FONT,
    labelSize: LABEL_SIZE,
    size: side === 3 ? GUTTER : 34,
    space: side === 3 ? 36 : 70,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
    values: (_plot, splits) => splits.map((split) => `${split.toLocaleString('en-US')}${end}`),
  };
}

function shortNumber(_plot: UPlot, value: number | null): string {
  return value === null ? '–' : Number(value.toPrecision(4)).toLocaleString('en-US');
}

function seriesColor(index: number): string {
  return colorOf(`--c${index % COLORS}`);
}

function colorOf(name: string): string {
  return getComputedStyle(root).getPropertyValue(name).trim();
}
