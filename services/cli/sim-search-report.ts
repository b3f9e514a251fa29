import { chipCount, type Layout } from '../core/timing/layout.ts';
import type { PlacedModel } from '../core/timing/load-price.ts';
import type { CapacityReport } from '../sim/capacity/capacity-report.ts';
import { GOAL_LATENCIES, type GoalLatency } from '../sim/capacity/latency-goals.ts';
import { percentileOf, type ServiceLevel } from '../sim/capacity/service-level.ts';
import { caveats } from './price-parts.ts';
import { formatNumber, formatRange, formatShare } from './quantity.ts';
import { metricsObject } from './sim-report.ts';
import { renderTable } from './table.ts';

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
export function searchText({ found, placed, level }: SearchOutcome): string {
  const { goals, percentile } = level;
  const wanted = GOAL_LATENCIES.filter((name) => goals[name] !== undefined);
  const promise = wanted.map((name) => `p${percentile} ${name} ≤ ${goals[name]} ms`).join(', ');
  const latencies = wanted.map((name) => `p${percentile} ${name}, ms`);
  const head = ['Layout', 'Requests/s', 'Tokens/s out', ...latencies, 'MFU', '$ per M tokens'];
  const rows = found.map((rate) => rowOf(rate, { wanted, level }));
  return [
    `${placed.architecture.name} on ${chipCount(found[0]!.layout)} × ${placed.chip.name}, ${placed.software.name}: device time`,
    `Highest rate that keeps ${promise}:`,
    renderTable(head, rows, { stream: process.stdout, textColumns: 1 }),
    ...caveats(placed),
  ].join('\n');
}

function rowOf(
  { layout, requestRate, report }: FoundRate,
  show: { readonly wanted: readonly GoalLatency[]; readonly level: ServiceLevel },
): string[] {
  const name = `tp ${layout.tp} pp ${layout.pp} ep ${layout.ep} dp ${layout.dp}`;
  if (report === undefined) return [name, 'none', '', ...show.wanted.map(() => ''), '', ''];
  return [
    name,
    formatNumber(requestRate),
    formatNumber(report.outputTokensPerSecond),
    ...show.wanted.map((latency) => formatNumber(percentileOf(report, latency, show.level))),
    formatShare(report.mfu),
    report.cost === undefined ? '' : formatRange(report.cost.dollars),
  ];
}
