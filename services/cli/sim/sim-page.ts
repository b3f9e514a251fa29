import { dirname, relative, resolve, sep } from 'node:path';
import { isByConstruction } from '../../core/timing/load-price.ts';
import type { LineChart, Report, ReportSection } from '../../report/report.ts';
import type { LoadPoint } from '../../sim/capacity/load-history.ts';
import { caveats } from '../models/price-parts.ts';
import { formatCell, formatNumber, formatShare } from '../models/quantity.ts';
import { drawn, figuresTable, latencySection } from '../terminal/page-parts.ts';
import type { SimOptions } from './sim-options.ts';
import { reportObject, type SimulatedRun, titleOfRun } from './sim-report.ts';

/** Ends the captions of shares. */
const PERCENT = ', %';
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
      latencySection(run.report, 'Device time'),
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

function traceSection({ traceOut, html }: SimOptions): readonly ReportSection[] {
  if (traceOut === undefined || html === undefined) return [];
  const path = relative(dirname(resolve(html)), resolve(traceOut)).split(sep);
  return [{ title: 'Trace', blocks: [{ kind: 'file', path, text: PERFETTO }] }];
}
