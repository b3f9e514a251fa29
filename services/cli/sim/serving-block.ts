import { LATENCIES, type Latency, type LatencyGoals } from '../../sim/capacity/latency-goals.ts';
import {
  type LatencySummary,
  REPORTED_PERCENTILES,
  type ServingReport,
} from '../../sim/capacity/serving-report.ts';

const WIDTH = 50;
const LABEL_WIDTH = 40;
/** What the latencies are called in full. */
export const LATENCY_TITLES: Readonly<Record<Latency, string>> = {
  ttft: 'Time to First Token',
  tpot: 'Time per Output Token (excl. 1st token)',
  itl: 'Inter-token Latency',
  e2el: 'End-to-end Latency',
};

/** What the block says beside the report's own figures. */
export interface BlockOptions {
  readonly failed: number;
  readonly maxConcurrency: number;
  readonly goodput: LatencyGoals;
  /** Of the duration: `s`, or `device s`. */
  readonly unit: string;
  /** Blocks of lines after the latencies, by their titles. */
  readonly sections: Readonly<Record<string, readonly string[]>>;
}

/** The block of text that `vllm bench serve` prints, with sections of our own. */
export function servingBlock(report: ServingReport, options: BlockOptions): readonly string[] {
  const { maxConcurrency, goodput, sections, unit } = options;
  return [
    banner(' Serving Benchmark Result ', '='),
    line('Successful requests:', report.completed),
    line('Failed requests:', options.failed),
    ...(Number.isFinite(maxConcurrency)
      ? [line('Maximum request concurrency:', maxConcurrency)]
      : []),
    ...(Number.isFinite(report.arrivalsPerSecond)
      ? [line('Request rate (RPS):', decimals(report.arrivalsPerSecond))]
      : []),
    line(`Benchmark duration (${unit}):`, decimals(report.seconds)),
    line('Total input tokens:', report.inputTokens),
    line('Total generated tokens:', report.outputTokens),
    line('Request throughput (req/s):', decimals(report.requestsPerSecond)),
    ...(hasGoals(goodput)
      ? [line('Request goodput (req/s):', decimals(report.goodRequestsPerSecond))]
      : []),
    line('Output token throughput (tok/s):', decimals(report.outputTokensPerSecond)),
    line('Peak output token throughput (tok/s):', decimals(report.mostOutputTokensPerSecond)),
    line('Peak concurrent requests:', decimals(report.mostOpenRequests)),
    line('Total token throughput (tok/s):', decimals(report.totalTokensPerSecond)),
    ...LATENCIES.flatMap((name) => latencyLines(name, report.latencies[name])),
    ...Object.entries(sections).flatMap(([title, lines]) => [banner(title, '-'), ...lines]),
    '='.repeat(WIDTH),
  ];
}

/** What `vllm bench serve --save-result` writes, as far as clients see it. */
export function servingObject(report: ServingReport, options: Pick<BlockOptions, 'failed'>) {
  return {
    duration: report.seconds,
    completed: report.completed,
    failed: options.failed,
    total_input: report.inputTokens,
    total_output: report.outputTokens,
    request_throughput: report.requestsPerSecond,
    output_throughput: report.outputTokensPerSecond,
    total_token_throughput: report.totalTokensPerSecond,
    max_output_tokens_per_s: report.mostOutputTokensPerSecond,
    max_concurrent_requests: report.mostOpenRequests,
    ...Object.assign({}, ...LATENCIES.map((name) => latencyObject(name, report.latencies[name]))),
  };
}

/** Which percentiles are not exact, as a sentence, where there are any. */
export function percentileNote({ latencies }: ServingReport): readonly string[] {
  const counted = LATENCIES.filter((name) => !latencies[name].exact);
  if (counted.length === 0) return [];
  return [`Percentiles of ${counted.join(', ')} come from a histogram with three digits.`];
}

export function hasGoals(goodput: LatencyGoals): boolean {
  return Object.keys(goodput).length > 0;
}

/** Infinity has no JSON; vLLM writes it so. */
export function rateObject(rate: number): number | 'inf' {
  return Number.isFinite(rate) ? rate : 'inf';
}

/** One line of the block. */
export function line(label: string, value: number | string): string {
  return `${label.padEnd(LABEL_WIDTH)}${value}`;
}

export function decimals(value: number): string {
  return value.toFixed(2);
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

function banner(title: string, fill: string): string {
  const left = Math.floor((WIDTH - title.length) / 2);
  return fill.repeat(left) + title + fill.repeat(WIDTH - title.length - left);
}
