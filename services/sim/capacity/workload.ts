import { Random } from '../random.ts';
import { drawLength, type Lengths } from './lengths.ts';
import type { PlannedRequest } from './planned-request.ts';
import { gamma } from './variates.ts';

const MICROS_PER_SECOND = 1e6;

/** Requests that are drawn. */
export interface DrawnWorkload {
  readonly requests: number;
  /** Requests per second; infinite where all are there at the start. */
  readonly requestRate: number;
  /** Shape of the gamma distribution of the time between arrivals; 1 is a Poisson process. */
  readonly burstiness: number;
  /** Means. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly lengths: Lengths;
  readonly seed: number;
}

/** The first request comes at once, as `vllm bench serve` sends it. */
function drawWorkload(workload: DrawnWorkload): readonly PlannedRequest[] {
  const { requestRate, burstiness, lengths } = workload;
  // Streams of their own, so that the lengths do not depend on the arrivals.
  const intervals = new Random(workload.seed);
  const sizes = new Random(workload.seed, 1);
  const meanMicros = MICROS_PER_SECOND / requestRate;
  let arrivalMicros = 0;
  return Array.from({ length: workload.requests }, (_, index) => {
    if (index > 0 && meanMicros > 0) {
      arrivalMicros += (meanMicros * gamma(intervals, burstiness)) / burstiness;
    }
    return {
      arrivalMicros,
      inputTokens: drawLength(sizes, workload.inputTokens, lengths),
      outputTokens: drawLength(sizes, workload.outputTokens, lengths),
      contentIds: undefined,
    };
  });
}

/** Requests of a trace, the first ones, at another mean rate where one is given. */
export interface ReplayedWorkload {
  readonly trace: readonly PlannedRequest[];
  readonly requests: number | undefined;
  readonly requestRate: number | undefined;
}

export type Workload =
  | ({ readonly kind: 'drawn' } & DrawnWorkload)
  | ({ readonly kind: 'replayed' } & ReplayedWorkload);

/** The requests of a workload, in the order of their arrival. */
export function planRequests(workload: Workload): readonly PlannedRequest[] {
  return workload.kind === 'drawn' ? drawWorkload(workload) : replayTrace(workload);
}

function replayTrace({
  trace,
  requests,
  requestRate,
}: ReplayedWorkload): readonly PlannedRequest[] {
  const taken = trace.slice(0, requests);
  if (requestRate === undefined) return taken;
  const scale = requestRate === Number.POSITIVE_INFINITY ? 0 : arrivalRate(taken) / requestRate;
  return taken.map((request) => ({ ...request, arrivalMicros: request.arrivalMicros * scale }));
}

/** Mean requests per second; infinite where all come at once. */
export function arrivalRate(requests: readonly Pick<PlannedRequest, 'arrivalMicros'>[]): number {
  const lastMicros = requests.at(-1)?.arrivalMicros ?? 0;
  return (MICROS_PER_SECOND * (requests.length - 1)) / lastMicros || Number.POSITIVE_INFINITY;
}
