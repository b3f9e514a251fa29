import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { capacityPolicyOf } from '../../core/timing/software-version.ts';
import { schedulerOptions } from '../../runtime/coordinator/scheduler-options.ts';
import { choice, wholeNumber } from '../../runtime/options/option-values.ts';
import {
  addKvOptions,
  addPolicyOptions,
  type SchedulingOptions,
} from '../../runtime/options/scheduling-options.ts';
import type { LatencyGoals } from '../../sim/capacity/latency-goals.ts';
import { ROUTING_POLICIES, type RoutingPolicy } from '../../sim/capacity/routing.ts';
import type { CapacityScenario } from '../../sim/capacity/scenario.ts';
import type { ReportedPercentile } from '../../sim/capacity/service-level.ts';
import { REPORTED_PERCENTILES } from '../../sim/capacity/serving-report.ts';
import { addLoadOptions, type LoadOptions, placeModel } from '../models/load-options.ts';
import { addHtmlOption, type HtmlOptions } from '../terminal/html-output.ts';
import { addWorkloadOptions, goals, type WorkloadOptions, workloadOf } from './workload-options.ts';

const NO_BOUND = 0xffffffff;

type PolicyOptions = Omit<SchedulingOptions, 'maxNumSeqs' | 'maxNumBatchedTokens'>;

export interface SimOptions extends LoadOptions, PolicyOptions, WorkloadOptions, HtmlOptions {
  readonly chips: number | undefined;
  readonly numGpuBlocksOverride: number | undefined;
  readonly routingPolicy: RoutingPolicy;
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

function addReportOptions(command: Command): Command {
  return command
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
  const capacitySchedulerPolicy = options.capacitySchedulerPolicy ?? capacityPolicyOf(software);
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
