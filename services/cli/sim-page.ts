import { dirname, relative, resolve, sep } from 'node:path';
import { isByConstruction } from '../core/timing/load-price.ts';
import type { Cell, LineChart, Report, ReportSection, Table } from '../report/report.ts';
import { LATENCIES, type Latency } from '../sim/capacity/latency-goals.ts';
import type { LoadPoint } from '../sim/capacity/load-history.ts';
import { CURVE_PERCENTILES, REPORTED_PERCENTILES } from '../sim/capacity/serving-report.ts';
import { caveats } from './price-parts.ts';
import { formatCell, formatNumber, formatShare } from './quantity.ts';
import { LATENCY_TITLES } from './serving-block.ts';
import type { SimOptions } from './sim-options.ts';
import { reportObject, type SimulatedRun, titleOfRun } from './sim-report.ts';

/** Ends the captions of shares. */
const PERCENT = ', %';
/** Digits of what is drawn. */
const DRAWN_DIGITS = 5;
const PERFETTO = 'the steps as a Chrome trace, which ui.perfetto.dev opens';

/** A simulated run: its latencies, what the chips did meanwhile, and every figure of `--json`. */
export function pageOfRun(
  run: SimulatedRun,
  history: readonly LoadPoint[],
  options: SimOptions,
): Report {
  const { placed } = run.scenario;
  return {
    title: titleOfRun(run),
    lead: [...caveats(placed), ...run.report.refusals.map((reason) => `Refused: ${reason}.`)],
    sections: [
      { title: 'In short', blocks: [tilesOf(run)] },
      latencySection(run),
      historySection(history),
      ...traceSection(options),
      {
        title: 'Configuration',
        blocks: [figuresTable('The options of the scheduler', run.scenario.scheduler)],
      },
      {
        title: 'Every figure',
        blocks: [figuresTable('As --json names them', reportObject(run, options))],
      },
    ],
  };
}

function tilesOf({ report, scenario }: SimulatedRun) {
  const { ttft, tpot } = report.latencies;
  const [, , , p99] = ttft.percentiles;
  const tile = (label: string, value: number, format = formatNumber) => ({
    label,
    figure: formatCell(value, format),
  });
  const mark = isByConstruction(scenario.placed.chip) ? ', by construction' : '';
  return {
    kind: 'tiles',
    tiles: [
      tile(`Output tokens/s${mark}`, report.outputTokensPerSecond),
      tile('Input and output tokens/s', report.totalTokensPerSecond),
      tile('Requests/s', report.requestsPerSecond),
      tile('Mean TTFT, ms', ttft.mean),
      tile('p99 TTFT, ms', p99!),
      tile('Mean TPOT, ms', tpot.mean),
      tile('MFU', report.mfu, formatShare),
      tile('HBM bandwidth', report.hbmUtilization, formatShare),
    ],
  } as const;
}

function latencySection({ report }: SimulatedRun): ReportSection {
  const head = ['Latency, ms', 'mean', 'deviation', ...REPORTED_PERCENTILES.map((it) => `p${it}`)];
  const rows = LATENCIES.map((name) => {
    const { mean, deviation, percentiles } = report.latencies[name];
    return [name.toUpperCase(), ...[mean, deviation, ...percentiles].map((ms) => formatCell(ms))];
  });
  const table: Table = {
    kind: 'table',
    caption:
      'Device time; the plots are cumulative. TPOT is (E2EL − TTFT) / (tokens − 1), ITL each gap between two tokens.',
    head,
    textColumns: 1,
    rows,
  };
  const charts = LATENCIES.map((name) => curveOf(name, report.latencies[name].curve));
  return { title: 'Latencies', blocks: [{ kind: 'lines', charts }, table] };
}

/** A cumulative distribution, up to a percentile that one outlier does not stretch. */
function curveOf(name: Latency, curve: readonly number[]): LineChart {
  const at99 = curve[CURVE_PERCENTILES.indexOf(99)]!;
  const most = Math.min(curve.at(-1)!, 1.5 * at99);
  return {
    caption: LATENCY_TITLES[name],
    x: { label: 'percentile', range: [0, 100], unit: '%' },
    y: { label: 'ms', range: [0, most > 0 ? most : 1] },
    xs: CURVE_PERCENTILES,
    series: [{ label: `${name.toUpperCase()}, ms`, values: curve.map(drawn) }],
    isTransposed: true,
  };
}

function historySection(history: readonly LoadPoint[]): ReportSection {
  const percent = (of: (point: LoadPoint) => number) => (point: LoadPoint) => 100 * of(point);
  const charts = [
    chartOf(history, 'Requests', {
      running: ({ running }) => running,
      waiting: ({ waiting }) => waiting,
    }),
    chartOf(history, `KV blocks in use${PERCENT}`, {
      'KV blocks, %': percent(({ kvUsage }) => kvUsage),
    }),
    chartOf(history, 'Tokens per second', {
      'prompt tokens/s': ({ inputTokensPerSecond }) => inputTokensPerSecond,
      'output tokens/s': ({ outputTokensPerSecond }) => outputTokensPerSecond,
    }),
    chartOf(history, `Utilisation${PERCENT}`, {
      'MFU, %': percent(({ mfu }) => mfu),
      'HBM bandwidth, %': percent(({ hbmUtilization }) => hbmUtilization),
      'links, %': percent(({ linkUtilization }) => linkUtilization),
    }),
  ];
  return { title: 'Over time', blocks: [{ kind: 'lines', charts }] };
}

function chartOf(
  history: readonly LoadPoint[],
  caption: string,
  series: Readonly<Record<string, (point: LoadPoint) => number>>,
): LineChart {
  return {
    caption,
    x: { label: 'device seconds' },
    y: { label: caption, ...(caption.endsWith(PERCENT) && { unit: '%' }) },
    xs: history.map(({ endSeconds }) => drawn(endSeconds)),
    series: Object.entries(series).map(([label, of]) => ({
      label,
      values: history.map((point) => drawn(of(point))),
    })),
  };
}

function drawn(value: number): number {
  return Number(value.toPrecision(DRAWN_DIGITS));
}

function traceSection({ traceOut, html }: SimOptions): readonly ReportSection[] {
  if (traceOut === undefined || html === undefined) return [];
  const path = relative(dirname(resolve(html)), resolve(traceOut)).split(sep);
  return [{ title: 'Trace', blocks: [{ kind: 'file', path, text: PERFETTO }] }];
}

/** The fields of an object, one a row; what is within another is named by both. */
export function figuresTable(caption: string, object: object): Table {
  const rows = fieldsOf('', object);
  return { kind: 'table', caption, head: ['Field', 'Value'], textColumns: 1, rows };
}

function fieldsOf(prefix: string, object: object): readonly (readonly Cell[])[] {
  return Object.entries(object).flatMap(([key, value]: [string, unknown]) => {
    const name = `${prefix}${key}`;
    if (typeof value === 'number') return [[name, formatCell(value)]];
    if (typeof value !== 'object' || value === null) return [[name, String(value ?? 'none')]];
    if (Array.isArray(value)) return [[name, value.join(', ') || 'none']];
    if ('low' in value && 'high' in value) {
      const { low, high } = value as { readonly low: number; readonly high: number };
      return [[name, formatCell({ low, high })]];
    }
    return fieldsOf(`${name}.`, value);
  });
}
