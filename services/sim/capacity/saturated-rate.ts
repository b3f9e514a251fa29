import { makePricer, planLoad } from '../../core/timing/load-price.ts';
import { steadyState } from '../../core/timing/steady-state.ts';
import type { PlannedRequest } from './planned-request.ts';
import type { CapacityScenario } from './scenario.ts';
import { planRequests } from './workload.ts';

/**
 * Requests per second of mean length that all replicas serve where more always wait; undefined where
 * the KV cache of a layout does not hold one of them.
 */
export function saturatedRate({
  placed,
  scheduler,
  workload,
}: CapacityScenario): number | undefined {
  const requests = planRequests(workload);
  const mean = (of: (request: PlannedRequest) => number): number =>
    Math.ceil(requests.reduce((sum, request) => sum + of(request), 0) / requests.length);
  const inputTokens = mean((request) => request.inputTokens);
  const outputTokens = mean((request) => request.outputTokens);
  const { kvTokens } = planLoad(placed);
  if (kvTokens < inputTokens + outputTokens) return undefined;
  const state = steadyState(makePricer(placed, 'middle'), {
    inputTokens,
    outputTokens,
    concurrency: Number.POSITIVE_INFINITY,
    maxNumBatchedTokens: scheduler.maxNumBatchedTokens,
    maxNumSeqs: scheduler.maxNumSeqs,
    kvTokens,
    kvReservation: placed.software.kvReservation,
    arrivals: 'spread',
  });
  return state.requestsPerSecond * placed.layout.dp;
}
