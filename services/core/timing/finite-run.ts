import { meanShapeOf, type SteadyLoad, sequencesInFlight, steadyState } from './steady-state.ts';
import type { StepPricer } from './step-pricer.ts';

/**
 * Output tokens per second of a run of that many requests that are all there at the start: waves of
 * the sequences that run together, the last of them smaller.
 */
export function finiteRunTokensPerSecond(
  pricer: StepPricer,
  load: SteadyLoad,
  requests: number,
): number {
  const state = steadyState(pricer, load);
  if (state.limit === 'tokens') return state.outputTokensPerSecond;
  const sequences = sequencesInFlight(load).sequences;
  const waves = Math.floor(requests / sequences);
  const rest = requests - waves * sequences;
  const last = rest < 1 ? undefined : steadyState(pricer, { ...load, concurrency: rest });
  const seconds =
    (waves * sequences) / state.requestsPerSecond + (last ? rest / last.requestsPerSecond : 0);
  return (requests * load.outputTokens) / seconds;
}

/**
 * Mean seconds to the first token of a closed loop: its first round, in which all clients start at
 * once and wait for each other's prompts, and the later ones, which have drifted apart.
 */
export function closedLoopTtftSeconds(
  pricer: StepPricer,
  load: SteadyLoad,
  requests: number,
): number {
  const { ttftSeconds } = steadyState(pricer, load);
  const sequences = sequencesInFlight(load).sequences;
  const tokens = sequences * load.inputTokens;
  const steps = Math.max(1, tokens / load.maxNumBatchedTokens);
  const full = meanShapeOf({
    decode: 0,
    load,
    chunk: Math.min(load.inputTokens, load.maxNumBatchedTokens),
    prefillTokens: tokens / steps,
  });
  const first = Math.min(1, sequences / requests);
  return first * ((steps + 1) / 2) * pricer.seconds(full) + (1 - first) * ttftSeconds;
}
