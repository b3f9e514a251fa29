import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import { findNamed } from '../core/support/nearest.ts';
import {
  choice,
  numberBetween,
  positiveOrInfinite,
  wholeNumber,
} from '../runtime/options/option-values.ts';
import {
  GOAL_LATENCIES,
  type GoalLatency,
  type LatencyGoals,
} from '../sim/capacity/latency-goals.ts';
import { LENGTH_DISTRIBUTIONS, type LengthDistribution } from '../sim/capacity/lengths.ts';
import type { Workload } from '../sim/capacity/workload.ts';
import { readTraceFile } from './trace-file.ts';

/** Of drawn workloads; a trace is replayed as a whole. */
const DRAWN_REQUESTS = 1000;

/** The requests that a load consists of. */
export interface WorkloadOptions {
  readonly isl: number;
  readonly osl: number;
  readonly dataset: LengthDistribution;
  readonly lengthSpread: number;
  readonly numPrompts: number | undefined;
  readonly requestRate: number | undefined;
  readonly burstiness: number;
  readonly maxConcurrency: number;
  readonly traceFile: string | undefined;
  readonly seed: number;
  readonly goodput: LatencyGoals;
}

/** Adds the options of the requests that a load consists of. */
export function addWorkloadOptions(command: Command): Command {
  return command
    .option('--isl <tokens>', 'mean prompt tokens of a request', wholeNumber(1), 2048)
    .option('--osl <tokens>', 'mean output tokens of a request', wholeNumber(1), 128)
    .addOption(choice('--dataset <name>', 'distribution of lengths', LENGTH_DISTRIBUTIONS, 'fixed'))
    .option(
      '--length-spread <ratio>',
      'of uniform the half width, of lognormal the deviation, over the mean',
      numberBetween(0, 10),
      0.5,
    )
    .option(
      '--num-prompts <count>',
      `requests (default: ${DRAWN_REQUESTS}, or the whole trace)`,
      wholeNumber(1),
    )
    .option(
      '--request-rate <rate>',
      'requests a second, or inf (default: inf, or the trace’s)',
      positiveOrInfinite,
    )
    .option(
      '--burstiness <shape>',
      'gamma shape of the arrivals; 1 is Poisson',
      numberBetween(1e-3, 1e3),
      1,
    )
    .option(
      '--max-concurrency <clients>',
      'requests kept open at the most',
      wholeNumber(1),
      Number.POSITIVE_INFINITY,
    )
    .option('--trace-file <file>', 'replay a trace: Azure CSV or Mooncake JSONL')
    .option('--seed <number>', 'of arrivals and lengths', wholeNumber(0), 0)
    .option(
      '--goodput <goals...>',
      'count requests within goals in ms: ttft:500 tpot:50',
      goals,
      {},
    );
}

/** What the options describe. */
export function workloadOf(options: WorkloadOptions): Workload {
  const { traceFile, numPrompts, requestRate } = options;
  if (traceFile !== undefined) {
    const trace = readTraceFile(traceFile);
    return { kind: 'replayed', trace, requests: numPrompts, requestRate };
  }
  return {
    kind: 'drawn',
    requests: numPrompts ?? DRAWN_REQUESTS,
    requestRate: requestRate ?? Number.POSITIVE_INFINITY,
    burstiness: options.burstiness,
    inputTokens: options.isl,
    outputTokens: options.osl,
    lengths: { distribution: options.dataset, spread: options.lengthSpread },
    seed: options.seed,
  };
}

/** Adds a goal such as `ttft:500` to those before. */
export function goals(text: string, before: LatencyGoals): LatencyGoals {
  const [name = '', limit = '', ...rest] = text.split(':');
  const ms = Number(limit);
  if (limit.trim() === '' || rest.length > 0 || !(ms > 0)) {
    throw new InvalidOptionError(
      'It must be a latency and milliseconds above 0, such as ttft:500.',
    );
  }
  return { ...before, [latencyNamed(name)]: ms };
}

function latencyNamed(name: string): GoalLatency {
  try {
    return findNamed(GOAL_LATENCIES, name, { field: 'latency', namesOf: (it) => [it] });
  } catch (error) {
    throw new InvalidOptionError((error as Error).message);
  }
}
