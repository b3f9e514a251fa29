import { type LoadPrice, makePricer, type PricedLoad, priceLoad } from './load-price.ts';
import { makeStepShape } from './step-shape.ts';

/** What continuous batching makes of a load, over simpler ways to serve it on the same chips. */
export interface BatchingGain {
  /** Over static batches of outputs that vary; undefined with pipeline stages, which need several. */
  readonly overStatic: number | undefined;
  /** Over one request at a time on each replica. */
  readonly overSingle: number;
}

/** Compares the price of a saturated load with static batches of all that fits, and with batch 1. */
export function batchingGain(load: PricedLoad, price: LoadPrice): BatchingGain {
  const single = priceLoad({ ...load, concurrency: load.layout.dp }, 'middle');
  return {
    overStatic: load.layout.pp === 1 ? gainOverStatic(load, price) : undefined,
    overSingle: price.outputTokensPerSecond / single.outputTokensPerSecond,
  };
}

/**
 * Outputs are spread evenly between nothing and twice the mean (assumed): a static batch reserves the
 * longest for all, and runs until the longest has ended, half of its places idle on average. Its
 * prompts are computed in steps of the same budget as those of continuous batching.
 */
function gainOverStatic(load: PricedLoad, { plan, state }: LoadPrice): number {
  const { inputTokens, outputTokens, maxNumSeqs, maxNumBatchedTokens } = load;
  const longest = 2 * outputTokens;
  const fitting = Math.floor(plan.kvTokens / (inputTokens + longest));
  const batch = Math.max(1, Math.min(fitting, maxNumSeqs));
  const pricer = makePricer(load, 'middle');
  const newTokens = Math.min(inputTokens, maxNumBatchedTokens);
  const chunks = Math.max(1, Math.floor(maxNumBatchedTokens / newTokens));
  const chunk = { newTokens, contextTokens: (inputTokens - newTokens) / 2 };
  const prompts = makeStepShape({ prefill: Array.from({ length: chunks }, () => chunk) });
  const decode = makeStepShape({
    decodeSequences: batch,
    decodeContextTokens: batch * (inputTokens + longest / 2),
  });
  const promptSteps = (batch * inputTokens) / (chunks * newTokens);
  const seconds = promptSteps * pricer.seconds(prompts) + (longest - 1) * pricer.seconds(decode);
  return (state.outputTokensPerSecond * seconds) / (batch * outputTokens);
}
