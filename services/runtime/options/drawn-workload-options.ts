import { Command } from 'commander';
import { LENGTH_DISTRIBUTIONS, type LengthDistribution } from '../../sim/capacity/lengths.ts';
import type { Workload } from '../../sim/capacity/workload.ts';
import { choice, numberBetween, positiveOrInfinite, wholeNumber } from './option-values.ts';
import { flagsOf } from './serving-options.ts';

/** Requests that are drawn where a command does not say how many; a trace is replayed as a whole. */
const DRAWN_REQUESTS = 1000;

/** What requests come when, named as the options of `vllm bench serve`. */
export interface DrawnWorkloadOptions {
  readonly isl: number;
  readonly osl: number;
  readonly dataset: LengthDistribution;
  readonly lengthSpread: number;
  readonly numPrompts: number | undefined;
  readonly requestRate: number | undefined;
  readonly burstiness: number;
  readonly seed: number;
}

/** Adds the options of a drawn workload. */
export function addDrawnWorkloadOptions(command: Command): Command {
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
    .option('--seed <number>', 'of arrivals and lengths', wholeNumber(0), 0);
}

/** The workload that the options draw. */
export function drawnWorkload(options: DrawnWorkloadOptions): Workload {
  return {
    kind: 'drawn',
    requests: options.numPrompts ?? DRAWN_REQUESTS,
    requestRate: options.requestRate ?? Number.POSITIVE_INFINITY,
    burstiness: options.burstiness,
    inputTokens: options.isl,
    outputTokens: options.osl,
    lengths: { distribution: options.dataset, spread: options.lengthSpread },
    seed: options.seed,
  };
}

/** The flags that make a coordinator's process offer itself the load. */
export function offerArguments(options: DrawnWorkloadOptions): string[] {
  const { requestRate } = options;
  const rate = requestRate === Number.POSITIVE_INFINITY ? 'inf' : requestRate;
  const flags = flagsOf(addDrawnWorkloadOptions(new Command()).options, {
    ...options,
    requestRate: rate,
  });
  return ['--offer-load', ...flags];
}
