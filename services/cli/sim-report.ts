import type { Range } from '../core/hardware/figure.ts';
import { chipCount } from '../core/timing/layout.ts';
import { isByConstruction, uncertainFigures } from '../core/timing/load-price.ts';
import { softwareParametersOf } from '../core/timing/software-parameters.ts';
import {
  type CapacityReport,
  type LatencySummary,
  REPORTED_PERCENTILES,
} from '../sim/capacity/capacity-report.ts';
import { LATENCIES, type Latency } from '../sim/capacity/latency-goals.ts';
import { type CapacityScenario, kvBlocksOf } from '../sim/capacity/scenario.ts';
import { caveats } from './price-parts.ts';
import { formatNumber, formatRange, formatShare } from './quantity.ts';
import type { SimOptions } from './sim-options.ts';

const WIDTH = 50;
const LABEL_WIDTH = 40;
/** What the latencies are called in full. */
export const LATENCY_TITLES: Readonly<Record<Latency, string>> = {
  ttft: 'Time to First Token',
  tpot: 'Time per Output Token (excl. 1st token)',
  itl: 'Inter-token Latency',
  e2el: 'End-to-end Latency',
};
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
    ...(hasGoals(options) && { request_goodput: report.goodRequestsPerSecond }),
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

/** What `vllm bench serve --save-result` writes, and the figures of the device. */
export function metricsObject(report: CapacityReport): object {
  return {
    duration: report.seconds,
    completed: report.completed,
    failed: report.invalid + report.refusedWhenFull,
    total_input: report.inputTokens,
    total_output: report.outputTokens,
    request_throughput: report.requestsPerSecond,
    output_throughput: report.outputTokensPerSecond,
    total_token_throughput: report.totalTokensPerSecond,
    max_output_tokens_per_s: report.mostOutputTokensPerSecond,
    max_concurrent_requests: report.mostOpenRequests,
    ...Object.assign({}, ...LATENCIES.map((name) => latencyObject(name, report.latencies[name]))),
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

/** Infinity has no JSON; vLLM writes it so. */
function rateObject(rate: number): number | 'inf' {
  return Number.isFinite(rate) ? rate : 'inf';
}

function latencyObject(name: Latency, latency: LatencySummary): object {
  const percentiles = REPORTED_PERCENTILES.map((percent, index) => [
    `${percent === 50 ? 'median' : `p${percent}`}_${name}_ms`,
    latency.percentiles[index],
  ]);
  return {
    [`mean_${name}_ms`]: latency.mean,
    [`std_${name}_ms`]: latency.deviation,
    ...Object.fromEntries(percentiles),
    [`${name}_percentiles`]: latency.exact ? 'exact' : 'histogram, 3 digits',
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
    banner(' Serving Benchmark Result ', '='),
    line('Successful requests:', report.completed),
    line('Failed requests:', report.invalid + report.refusedWhenFull),
    ...(Number.isFinite(options.maxConcurrency)
      ? [line('Maximum request concurrency:', options.maxConcurrency)]
      : []),
    ...(Number.isFinite(report.arrivalsPerSecond)
      ? [line('Request rate (RPS):', decimals(report.arrivalsPerSecond))]
      : []),
    line('Benchmark duration (device s):', decimals(report.seconds)),
    line('Total input tokens:', report.inputTokens),
    line('Total generated tokens:', report.outputTokens),
    line('Request throughput (req/s):', decimals(report.requestsPerSecond)),
    ...(hasGoals(options)
      ? [line('Request goodput (req/s):', decimals(report.goodRequestsPerSecond))]
      : []),
    line('Output token throughput (tok/s):', decimals(report.outputTokensPerSecond)),
    line('Peak output token throughput (tok/s):', decimals(report.mostOutputTokensPerSecond)),
    line('Peak concurrent requests:', decimals(report.mostOpenRequests)),
    line('Total token throughput (tok/s):', decimals(report.totalTokensPerSecond)),
    ...LATENCIES.flatMap((name) => latencyLines(name, report.latencies[name])),
    banner('Device', '-'),
    ...deviceLines(run),
    '='.repeat(WIDTH),
    ...rangeLines(run),
    ...percentileNote(report),
    ...report.refusals.map((reason) => `Refused: ${reason}.`),
    ...caveats(scenario.placed),
  ].join('\n');
}

function hasGoals({ goodput }: SimOptions): boolean {
  return Object.keys(goodput).length > 0;
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

function latencyLines(name: Latency, latency: LatencySummary): string[] {
  const label = (statistic: string): string => `${statistic} ${name.toUpperCase()} (ms):`;
  return [
    banner(LATENCY_TITLES[name], '-'),
    line(label('Mean'), decimals(latency.mean)),
    ...REPORTED_PERCENTILES.map((percent, index) =>
      line(label(percent === 50 ? 'Median' : `P${percent}`), decimals(latency.percentiles[index]!)),
    ),
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

function percentileNote({ latencies }: CapacityReport): string[] {
  const counted = LATENCIES.filter((name) => !latencies[name].exact);
  if (counted.length === 0) return [];
  return [`Percentiles of ${counted.join(', ')} come from a histogram with three digits.`];
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

function banner(title: string, fill: string): string {
  const left = Math.floor((WIDTH - title.length) / 2);
  return fill.repeat(left) + title + fill.repeat(WIDTH - title.length - left);
}

function line(label: string, value: number | string): string {
  return `${label.padEnd(LABEL_WIDTH)}${value}`;
}

function decimals(value: number): string {
  return value.toFixed(2);
}
