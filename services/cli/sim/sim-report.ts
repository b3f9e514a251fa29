import type { Range } from '../../core/hardware/figure.ts';
import { chipCount } from '../../core/timing/layout.ts';
import { isByConstruction, uncertainFigures } from '../../core/timing/load-price.ts';
import { softwareParametersOf } from '../../core/timing/software-parameters.ts';
import type { CapacityReport } from '../../sim/capacity/capacity-report.ts';
import { type CapacityScenario, kvBlocksOf } from '../../sim/capacity/scenario.ts';
import { caveats } from '../models/price-parts.ts';
import { formatNumber, formatRange, formatShare } from '../models/quantity.ts';
import {
  decimals,
  hasGoals,
  line,
  percentileNote,
  rateObject,
  servingBlock,
  servingObject,
} from './serving-block.ts';
import type { SimOptions } from './sim-options.ts';

/** Figures whose range is told where the chip's rates are ranges. */
const RANGED: Readonly<Record<string, (report: CapacityReport) => number>> = {
  request_throughput: (report) => report.requestsPerSecond,
  output_throughput: (report) => report.outputTokensPerSecond,
  total_token_throughput: (report) => report.totalTokensPerSecond,
  mean_ttft_ms: ({ latencies }) => latencies.ttft.mean,
  mean_tpot_ms: ({ latencies }) => latencies.tpot.mean,
  mean_e2el_ms: ({ latencies }) => latencies.e2el.mean,
  device_seconds: (report) => report.deviceSeconds,
  mfu: (report) => report.mfu,
  hbm_utilization: (report) => report.hbmUtilization,
  link_utilization: (report) => report.linkUtilization,
};

/** A scenario and what it came to. */
export interface SimulatedRun {
  readonly scenario: CapacityScenario;
  /** At the middle of what the chip's figures allow. */
  readonly report: CapacityReport;
  /** At both ends where they are ranges; else the same. */
  readonly ends: readonly CapacityReport[];
}

/** The object of `--json`, its keys as those of `vllm bench serve` and then our own. */
export function reportObject(run: SimulatedRun, options: SimOptions): object {
  const { report, scenario } = run;
  const { placed } = scenario;
  return {
    clock: 'device',
    model: placed.architecture.name,
    chip: placed.chip.name,
    chips: chipCount(placed.layout),
    ...placed.layout,
    software: placed.software.name,
    basis: softwareParametersOf(placed.software).version,
    seed: options.seed,
    request_rate: rateObject(report.arrivalsPerSecond),
    max_concurrency: Number.isFinite(options.maxConcurrency) ? options.maxConcurrency : null,
    kv_blocks: kvBlocksOf(scenario),
    ...metricsObject(report),
    ...(hasGoals(options.goodput) && { request_goodput: report.goodRequestsPerSecond }),
    joules: report.stepJoules,
    joules_per_million_tokens: costRange(run, 'joules') ?? null,
    dollars_per_million_tokens: costRange(run, 'dollars') ?? null,
    by_construction: isByConstruction(placed.chip),
    uncertain: uncertainFigures(placed.chip),
    ranges: Object.fromEntries(
      Object.entries(RANGED).map(([name, of]) => [name, rangeOver(run, of)]),
    ),
  };
}

/** What clients see, as `vllm bench serve` says it, and the figures of the device. */
export function metricsObject(report: CapacityReport): object {
  return {
    ...servingObject(report, { failed: failedOf(report) }),
    device_seconds: report.deviceSeconds,
    steps: report.steps,
    sequence_steps: report.sequenceSteps,
    mfu: report.mfu,
    hbm_utilization: report.hbmUtilization,
    link_utilization: report.linkUtilization,
    preemptions: report.preemptions,
    prefix_cache_hit_rate: report.prefixCacheHitRate,
  };
}

/** What runs on what. */
export function titleOfRun({ scenario }: SimulatedRun): string {
  const { architecture, chip, layout, software } = scenario.placed;
  return `${architecture.name} on ${chipCount(layout)} × ${chip.name} (tp ${layout.tp} pp ${layout.pp} ep ${layout.ep} dp ${layout.dp}), ${software.name}: device time`;
}

/** The block of text that `vllm bench serve` prints, with what device time adds. */
export function reportText(run: SimulatedRun, options: SimOptions): string {
  const { report, scenario } = run;
  return [
    titleOfRun(run),
    ...servingBlock(report, {
      failed: failedOf(report),
      maxConcurrency: options.maxConcurrency,
      goodput: options.goodput,
      unit: 'device s',
      sections: { Device: deviceLines(run) },
    }),
    ...rangeLines(run),
    ...percentileNote(report),
    ...report.refusals.map((reason) => `Refused: ${reason}.`),
    ...caveats(scenario.placed),
  ].join('\n');
}

function failedOf({ invalid, refusedWhenFull }: CapacityReport): number {
  return invalid + refusedWhenFull;
}

function deviceLines(run: SimulatedRun): string[] {
  const { report, scenario } = run;
  const joules = costRange(run, 'joules');
  const dollars = costRange(run, 'dollars');
  return [
    line('Device time (s):', decimals(report.deviceSeconds)),
    line('Steps:', report.steps),
    line('Model FLOPs (MFU):', formatShare(report.mfu)),
    line('HBM bandwidth:', formatShare(report.hbmUtilization)),
    line('Links:', formatShare(report.linkUtilization)),
    line('KV blocks of a replica:', formatNumber(kvBlocksOf(scenario))),
    line('Preemptions:', report.preemptions),
    line('Prefix cache hit rate:', formatShare(report.prefixCacheHitRate)),
    ...(joules ? [line('Energy (J per million tokens):', formatRange(joules))] : []),
    ...(dollars ? [line('Cost ($ per million tokens):', formatRange(dollars))] : []),
  ];
}

function rangeLines(run: SimulatedRun): string[] {
  if (run.ends.length === 1) return [];
  const ranges = Object.entries(RANGED).map(([name, of]) => {
    const format = name === 'mfu' || name.endsWith('_utilization') ? formatShare : formatNumber;
    return line(`${name}:`, formatRange(rangeOver(run, of), format));
  });
  return ['Between the ends of what is not known of the chip:', ...ranges];
}

/** The middle is no less likely than the ends, and not always between them. */
function rangeOver(run: SimulatedRun, of: (report: CapacityReport) => number): Range {
  const values = [run.report, ...run.ends].map(of);
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** Over both ends; undefined where nothing was served. */
function costRange({ ends }: SimulatedRun, of: 'joules' | 'dollars'): Range | undefined {
  const ranges = ends.flatMap(({ cost }) => cost?.[of] ?? []);
  if (ranges.length === 0) return undefined;
  return {
    low: Math.min(...ranges.map(({ low }) => low)),
    high: Math.max(...ranges.map(({ high }) => high)),
  };
}
