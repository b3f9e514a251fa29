import { InvalidArgumentError } from '../support/errors.ts';
import { expF64 } from '../support/math.ts';
import {
  meanShapeOf,
  type SteadyLoad,
  type SteadyState,
  sequencesInFlight,
  steadyState,
} from './steady-state.ts';
import type { StepPricer } from './step-pricer.ts';

/** Halvings of an interval of sequences: far below one of them. */
const BISECTIONS = 40;

/**
 * The steady state of requests that arrive on their own, as a Poisson process: as many are open at once as bring
 * that many to their end every second. An InvalidArgumentError says what the replica serves at most.
 */
export function openLoopState(
  pricer: StepPricer,
  load: SteadyLoad,
  requestsPerSecond: number,
): SteadyState {
  const most = { ...load, concurrency: Number.POSITIVE_INFINITY };
  const full = steadyState(pricer, most);
  if (!(requestsPerSecond > 0 && requestsPerSecond <= full.requestsPerSecond)) {
    throw new InvalidArgumentError(
      `requestsPerSecond must be above 0 and at most the ${full.requestsPerSecond.toPrecision(3)} that are served, not ${requestsPerSecond}`,
    );
  }
  let low = 0;
  let high = sequencesInFlight(most).sequences;
  for (let round = 0; round < BISECTIONS; round++) {
    const middle = (low + high) / 2;
    const state = steadyState(pricer, { ...load, concurrency: middle });
    if (state.requestsPerSecond < requestsPerSecond) low = middle;
    else high = middle;
  }
  const state = steadyState(pricer, { ...load, concurrency: high });
  const waited = arrivalWaitSeconds(pricer, load, { state, requestsPerSecond });
  return { ...state, ttftSeconds: Math.max(state.ttftSeconds, waited) };
}

/** Rounds in which the prompts of a step and its length settle. */
const ROUNDS = 8;

/**
 * Mean seconds from an arrival to the end of the step with its prompt, prompts of one step each. What comes during
 * a step is prefilled by the next one, which takes d + p·n for n prompts (d what decoding takes, p what each prompt
 * adds to a step of so many). At λ arrivals a second, E[T] = d / (1 − λp) and
 * E[T²] = (d² + (2d + p) λp E[T]) / (1 − (λp)²). An arrival finds a step of the mean length E[T²] / E[T] under way,
 * of which half is left, and then shares the next one with what came beside it; where nothing is being
 * decoded (e^−D of the time), it finds none.
 */
function arrivalWaitSeconds(
  pricer: StepPricer,
  load: SteadyLoad,
  at: { readonly state: SteadyState; readonly requestsPerSecond: number },
): number {
  const { state, requestsPerSecond } = at;
  const step = (prompts: number): number =>
    pricer.seconds(
      meanShapeOf({
        decode: state.decodeSequences,
        load,
        chunk: load.inputTokens,
        prefillTokens: prompts * load.inputTokens,
      }),
    );
  const decode = step(0);
  let prompts = 1;
  let waited = state.ttftSeconds;
  for (let round = 0; round < ROUNDS; round++) {
    const prompt = (step(prompts) - decode) / prompts;
    const busyShare = requestsPerSecond * prompt;
    if (busyShare >= 1) return waited;
    const mean = decode / (1 - busyShare);
    const square =
      (decode * decode + (2 * decode + prompt) * busyShare * mean) / (1 - busyShare * busyShare);
    const found = (1 - expF64(-state.decodeSequences)) * (square / mean);
    waited = found / 2 + decode + prompt * (1 + requestsPerSecond * found);
    prompts = 1 + requestsPerSecond * found;
  }
  return waited;
}
