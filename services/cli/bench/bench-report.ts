import {
  decimals,
  hasGoals,
  line,
  percentileNote,
  rateObject,
  servingBlock,
  servingObject,
} from '../sim/serving-block.ts';
import type { BenchOptions } from './bench-options.ts';
import type { LoadResult } from './load-run.ts';
import type { LoadTarget } from './load-target.ts';

/** Percentile of the lag that a report tells. */
const LAG_PERCENTILE = 99;
/** A load generator that is this late is itself what is measured. */
const LATE_MS = 20;

/** A finished run and where it was. */
export interface BenchRun {
  readonly target: Pick<LoadTarget, 'address' | 'model'>;
  readonly options: BenchOptions;
  readonly result: LoadResult;
}

/** The object of `--json`, its keys as those of `vllm bench serve` and then our own. */
export function benchObject({ target, options, result }: BenchRun): object {
  const { report, failures, cancelled, unsent } = result;
  return {
    clock: 'host',
    backend: options.backend,
    address: target.address,
    model: target.model,
    seed: options.seed,
    request_rate: rateObject(report.arrivalsPerSecond),
    burstiness: options.burstiness,
    max_concurrency: Number.isFinite(options.maxConcurrency) ? options.maxConcurrency : null,
    ...servingObject(report, { failed: failedOf(result) }),
    ...(hasGoals(options.goodput) && { request_goodput: report.goodRequestsPerSecond }),
    failures: Object.fromEntries(failures),
    cancelled,
    unsent,
    p99_send_lag_ms: lagMs(result),
  };
}

/** The block of text that `vllm bench serve` prints, and what else a reader must know. */
export function benchText({ target, options, result }: BenchRun): string {
  const { report, failures, cancelled, unsent } = result;
  const lag = lagMs(result);
  return [
    `${target.model} at ${target.address}: host time`,
    ...servingBlock(report, {
      failed: failedOf(result),
      maxConcurrency: options.maxConcurrency,
      goodput: options.goodput,
      unit: 's',
      sections: {
        Client: [
          line('Cancelled requests:', cancelled),
          line('P99 of sending late (ms):', decimals(lag)),
        ],
      },
    }),
    ...percentileNote(report),
    ...[...failures].map(
      ([label, { count, example }]) => `Failed with ${label}: ${count}, ${example}`,
    ),
    ...(unsent > 0 ? [`Ended early: ${unsent} requests were not sent.`] : []),
    ...(lag > LATE_MS
      ? ['This machine could not send in time: the latencies are also its own.']
      : []),
  ].join('\n');
}

function failedOf({ failures }: LoadResult): number {
  return [...failures.values()].reduce((sum, { count }) => sum + count, 0);
}

function lagMs({ lag }: LoadResult): number {
  return lag.percentiles([LAG_PERCENTILE])[0]! / 1000;
}
