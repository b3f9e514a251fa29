import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import { findNamed } from '../../core/support/nearest.ts';
import {
  addDrawnWorkloadOptions,
  type DrawnWorkloadOptions,
  drawnWorkload,
} from '../../runtime/options/drawn-workload-options.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';
import {
  GOAL_LATENCIES,
  type GoalLatency,
  type LatencyGoals,
} from '../../sim/capacity/latency-goals.ts';
import type { Workload } from '../../sim/capacity/workload.ts';
import { readTraceFile } from './trace-file.ts';

/** The requests that a load consists of. */
export interface WorkloadOptions extends DrawnWorkloadOptions {
  readonly maxConcurrency: number;
  readonly traceFile: string | undefined;
  readonly goodput: LatencyGoals;
}

/** Adds the options of the requests that a load consists of. */
export function addWorkloadOptions(command: Command): Command {
  return addDrawnWorkloadOptions(command)
    .option(
      '--max-concurrency <clients>',
      'requests kept open at the most',
      wholeNumber(1),
      Number.POSITIVE_INFINITY,
    )
    .option('--trace-file <file>', 'replay a trace: Azure CSV or Mooncake JSONL')
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
  if (traceFile === undefined) return drawnWorkload(options);
  const trace = readTraceFile(traceFile);
  return { kind: 'replayed', trace, requests: numPrompts, requestRate };
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
