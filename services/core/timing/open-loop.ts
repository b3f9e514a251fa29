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

/** More prompts than ever come during one step. */
const MOST_PROMPTS = 500;

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

/** Rounds in which the length of steps and the prompts that come during one settle. */
const ROUNDS = 8;
/** Of a Poisson distribution, what is left out above. */
const TAIL = 1e-6;

/**
 * Mean seconds from an arrival to the end of the step with its prompt, prompts of one step each. What comes during
 * a step is prefilled by the next one: T(n) with n prompts, n being Poisson of mean λE[T]. So E[T] and E[T²] are those
 * of T(n). An arrival finds a step of the mean length E[T²] / E[T] under way, of which half is left, and then takes
 * the next one together with what came beside it; where nothing is being decoded (e^−D of the time), it finds none.
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
        decode: state.decodeSequences / pricer.options.layout.pp,
        load,
        chunk: load.inputTokens,
        prefillTokens: prompts * load.inputTokens,
      }),
    );
  let mean = step(0);
  if (mean === 0) return state.ttftSeconds;
  for (let round = 0; round < ROUNDS; round++) mean = meanOf(step, requestsPerSecond * mean);
  const square = meanOf((prompts) => step(prompts) ** 2, requestsPerSecond * mean);
  const found = (1 - expF64(-state.decodeSequences)) * (square / mean);
  return found / 2 + meanOf((others) => step(1 + others), requestsPerSecond * found);
}

/** The mean of a function of a number that is Poisson of that mean; of large numbers, its value at the mean. */
function meanOf(value: (count: number) => number, mean: number): number {
  if (mean > MOST_PROMPTS / 2) return value(mean);
  let share = expF64(-mean);
  let left = 1 - share;
  let sum = share * value(0);
  for (let count = 1; left > TAIL && count < MOST_PROMPTS; count++) {
    share *= mean / count;
    left -= share;
    sum += share * value(count);
  }
  return sum;
}
