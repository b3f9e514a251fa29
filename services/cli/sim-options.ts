import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import { InvalidArgumentError } from '../core/support/errors.ts';
import { findNamed } from '../core/support/nearest.ts';
import { schedulerOptions } from '../runtime/coordinator/scheduler-options.ts';
import {
  choice,
  numberBetween,
  positiveOrInfinite,
  wholeNumber,
} from '../runtime/options/option-values.ts';
import {
  addKvOptions,
  addPolicyOptions,
  type SchedulingOptions,
} from '../runtime/options/scheduling-options.ts';
import { REPORTED_PERCENTILES } from '../sim/capacity/capacity-report.ts';
import {
  GOAL_LATENCIES,
  type GoalLatency,
  type LatencyGoals,
} from '../sim/capacity/latency-goals.ts';
import { LENGTH_DISTRIBUTIONS, type LengthDistribution } from '../sim/capacity/lengths.ts';
import { ROUTING_POLICIES, type RoutingPolicy } from '../sim/capacity/routing.ts';
import type { CapacityScenario } from '../sim/capacity/scenario.ts';
import type { ReportedPercentile } from '../sim/capacity/service-level.ts';
import type { Workload } from '../sim/capacity/workload.ts';
import { addHtmlOption, type HtmlOptions } from './html-output.ts';
import { addLoadOptions, type LoadOptions, placeModel } from './load-options.ts';
import { readTraceFile } from './trace-file.ts';

/** Of drawn workloads; a trace is replayed as a whole. */
const DRAWN_REQUESTS = 1000;
const NO_BOUND = 0xffffffff;

type PolicyOptions = Omit<SchedulingOptions, 'maxNumSeqs' | 'maxNumBatchedTokens'>;

export interface SimOptions extends LoadOptions, PolicyOptions, HtmlOptions {
  readonly chips: number | undefined;
  readonly numGpuBlocksOverride: number | undefined;
  readonly isl: number;
  readonly osl: number;
  readonly dataset: LengthDistribution;
  readonly lengthSpread: number;
  readonly numPrompts: number | undefined;
  readonly requestRate: number | undefined;
  readonly burstiness: number;
  readonly maxConcurrency: number;
  readonly traceFile: string | undefined;
  readonly routingPolicy: RoutingPolicy;
  readonly seed: number;
  readonly goodput: LatencyGoals;
  readonly search?: true;
  readonly slo: LatencyGoals;
  readonly sloPercentile: ReportedPercentile;
  readonly threads: number;
  readonly traceOut: string | undefined;
  readonly traceSteps: number;
  readonly json?: true;
}

/** Adds the options of a capacity simulation. */
export function addSimOptions(command: Command): Command {
  addLoadOptions(command).option(
    '--chips <count>',
    'chips in all; with --search every layout of them is tried',
    wholeNumber(1),
  );
  addWorkloadOptions(command);
  addPolicyOptions(addKvOptions(command), { maxNumQueuedReqs: NO_BOUND }).addOption(
    choice('--routing-policy <name>', 'which replica serves', ROUTING_POLICIES, 'least_loaded'),
  );
  return addHtmlOption(addReportOptions(command));
}

function addWorkloadOptions(command: Command): void {
  command
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
    .option('--seed <number>', 'of arrivals and lengths', wholeNumber(0), 0);
}

function addReportOptions(command: Command): Command {
  return command
    .option(
      '--goodput <goals...>',
      'count requests within goals in ms: ttft:500 tpot:50',
      goals,
      {},
    )
    .option('--search', 'find the highest rate that keeps --slo, and the best layout of --chips')
    .option('--slo <goals...>', 'goals in ms, such as ttft:500 tpot:50', goals, {})
    .addOption(
      choice('--slo-percentile <percent>', 'requests within --slo', REPORTED_PERCENTILES, 99),
    )
    .option('--threads <count>', 'threads of a search', wholeNumber(1), availableParallelism())
    .option('--trace-out <file>', 'write a Chrome trace of steps, operators and collectives')
    .option('--trace-steps <count>', 'steps in it at the most', wholeNumber(1), 10_000)
    .option('--json', 'print one JSON object');
}

/** What the options describe; `given` says whether the user chose an option's value. */
export function scenarioOf(
  options: SimOptions,
  given: (name: keyof SimOptions) => boolean,
): CapacityScenario {
  const placed = placeModel(options.search ? options : fillLayout(options, given));
  const { maxNumSeqs, maxNumBatchedTokens, software, architecture } = placed;
  const capacitySchedulerPolicy = given('capacitySchedulerPolicy')
    ? options.capacitySchedulerPolicy
    : software.kvReservation === 'whole'
      ? 'guaranteed_no_evict'
      : 'max_utilization';
  const scheduling = { ...options, maxNumSeqs, maxNumBatchedTokens, capacitySchedulerPolicy };
  return {
    placed,
    scheduler: schedulerOptions(scheduling, {
      maxPositions: architecture.maxPositions,
      stopTokenIds: [],
    }),
    numGpuBlocksOverride: options.numGpuBlocksOverride,
    workload: workloadOf(options),
    maxConcurrency: options.maxConcurrency,
    routing: options.routingPolicy,
    goals: options.goodput,
  };
}

function workloadOf(options: SimOptions): Workload {
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

/** Replicas for all chips, and no more tensor parallelism than there are chips, where nothing else is said. */
function fillLayout(options: SimOptions, given: (name: keyof SimOptions) => boolean): SimOptions {
  const { chips, pp } = options;
  if (chips === undefined) return options;
  const tp = given('tp') ? options.tp : Math.min(options.tp, chips);
  const dp = given('dp') ? options.dp : Math.max(1, Math.floor(chips / (tp * pp)));
  const used = tp * pp * dp;
  if (used === chips) return { ...options, tp, dp };
  throw new InvalidArgumentError(
    `chips must be tp × pp × dp, not ${chips}; the nearest is ${given('dp') ? used : nearestMultiple(chips, tp * pp)}`,
  );
}

function nearestMultiple(value: number, of: number): number {
  return of * Math.max(1, Math.round(value / of));
}

/** Adds a goal such as `ttft:500` to those before. */
function goals(text: string, before: LatencyGoals): LatencyGoals {
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
