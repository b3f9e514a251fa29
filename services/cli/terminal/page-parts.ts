import type { Cell, LineChart, ReportSection, Table } from '../../report/report.ts';
import { LATENCIES, type Latency } from '../../sim/capacity/latency-goals.ts';
import {
  CURVE_PERCENTILES,
  REPORTED_PERCENTILES,
  type ServingReport,
} from '../../sim/capacity/serving-report.ts';
import { formatCell } from '../models/quantity.ts';
import { LATENCY_TITLES } from '../sim/serving-block.ts';

/** Digits of what is drawn. */
const DRAWN_DIGITS = 5;

/** A value with the digits that a plot can show. */
export function drawn(value: number): number {
  return Number(value.toPrecision(DRAWN_DIGITS));
}

/** The distributions of all latencies, on one clock. */
export function latencySection(report: ServingReport, clock: string): ReportSection {
  const head = ['Latency, ms', 'mean', 'deviation', ...REPORTED_PERCENTILES.map((it) => `p${it}`)];
  const rows = LATENCIES.map((name) => {
    const { mean, deviation, percentiles } = report.latencies[name];
    return [name.toUpperCase(), ...[mean, deviation, ...percentiles].map((ms) => formatCell(ms))];
  });
  const table: Table = {
    kind: 'table',
    caption: `${clock}; plots are cumulative. TPOT is (E2EL − TTFT) / (tokens − 1), ITL each gap of tokens`,
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
