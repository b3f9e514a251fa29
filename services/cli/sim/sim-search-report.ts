import { chipCount, type Layout } from '../../core/timing/layout.ts';
import type { PlacedModel } from '../../core/timing/load-price.ts';
import {
  type BarChart,
  type Cell,
  type Report,
  spansOfRange,
  type Table,
} from '../../report/report.ts';
import type { CapacityReport } from '../../sim/capacity/capacity-report.ts';
import { GOAL_LATENCIES, type GoalLatency } from '../../sim/capacity/latency-goals.ts';
import { percentileOf, type ServiceLevel } from '../../sim/capacity/service-level.ts';
import { caveats } from '../models/price-parts.ts';
import { formatCell, formatShare } from '../models/quantity.ts';
import { printedTable } from '../terminal/table.ts';
import { metricsObject } from './sim-report.ts';

/** The highest rate of a layout that keeps a promise. */
export interface FoundRate {
  readonly layout: Layout;
  /** Requests per second; 0 where none does. */
  readonly requestRate: number;
  /** Of the run at that rate. */
  readonly report: CapacityReport | undefined;
}

/** What a search has found, the best layout first. */
export interface SearchOutcome {
  readonly found: readonly FoundRate[];
  readonly placed: PlacedModel;
  readonly level: ServiceLevel;
}

/** The object of `--search --json`. */
export function searchObject({ found, placed, level }: SearchOutcome): object {
  return {
    clock: 'device',
    model: placed.architecture.name,
    chip: placed.chip.name,
    chips: chipCount(found[0]!.layout),
    software: placed.software.name,
    slo: level.goals,
    slo_percentile: level.percentile,
    layouts: found.map(({ layout, requestRate, report }) => ({
      ...layout,
      highest_request_rate: requestRate,
      report: report === undefined ? null : metricsObject(report),
    })),
  };
}

/** A table of the layouts, the best first. */
export function searchText(outcome: SearchOutcome): string {
  const table = layoutsTable(outcome);
  return [
    titleOf(outcome),
    `${table.caption}:`,
    printedTable(table),
    ...caveats(outcome.placed),
  ].join('\n');
}

/** The same with bars. */
export function pageOfSearch(outcome: SearchOutcome): Report {
  const table = layoutsTable(outcome);
  const bars: BarChart = {
    kind: 'bars',
    caption: table.caption,
    head: ['Layout', 'Requests/s'],
    legend: [],
    rows: outcome.found.map(({ layout, requestRate }) => ({
      label: nameOf(layout),
      spans: spansOfRange({ low: requestRate, high: requestRate }),
      cells: [formatCell(requestRate)],
    })),
  };
  return {
    title: titleOf(outcome),
    lead: caveats(outcome.placed),
    sections: [{ title: 'Layouts', blocks: [bars, table] }],
  };
}

function titleOf({ found, placed }: SearchOutcome): string {
  return `${placed.architecture.name} on ${chipCount(found[0]!.layout)} × ${placed.chip.name}, ${placed.software.name}: device time`;
}

function layoutsTable({ found, level }: SearchOutcome): Table {
  const { goals, percentile } = level;
  const wanted = GOAL_LATENCIES.filter((name) => goals[name] !== undefined);
  const promise = wanted.map((name) => `p${percentile} ${name} ≤ ${goals[name]} ms`).join(', ');
  const latencies = wanted.map((name) => `p${percentile} ${name}, ms`);
  return {
    kind: 'table',
    caption: `Highest rate that keeps ${promise}`,
    head: ['Layout', 'Requests/s', 'Tokens/s out', ...latencies, 'MFU', '$ per M tokens'],
    textColumns: 1,
    rows: found.map((rate) => rowOf(rate, { wanted, level })),
  };
}

function rowOf(
  { layout, requestRate, report }: FoundRate,
  show: { readonly wanted: readonly GoalLatency[]; readonly level: ServiceLevel },
): readonly Cell[] {
  const name = nameOf(layout);
  if (report === undefined) return [name, 'none', '', ...show.wanted.map(() => ''), '', ''];
  return [
    name,
    formatCell(requestRate),
    formatCell(report.outputTokensPerSecond),
    ...show.wanted.map((latency) => formatCell(percentileOf(report, latency, show.level))),
    formatCell(report.mfu, formatShare),
    report.cost === undefined ? '' : formatCell(report.cost.dollars),
  ];
}

function nameOf(layout: Layout): string {
  return `tp ${layout.tp} pp ${layout.pp} ep ${layout.ep} dp ${layout.dp}`;
}
