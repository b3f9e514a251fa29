import type { StepPricer } from './step-pricer.ts';
import { makeStepShape } from './step-shape.ts';

/** A batch that starts and ends together. */
export interface StaticBatch {
  readonly batch: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Seconds until every sequence has its first token: all prompts are computed in one step. */
export function firstTokenSeconds(pricer: StepPricer, { batch, inputTokens }: StaticBatch): number {
  const chunk = { newTokens: inputTokens, contextTokens: 0 };
  return pricer.seconds(makeStepShape({ prefill: Array.from({ length: batch }, () => chunk) }));
}

/**
 * Output tokens per second of a batch without in-flight batching: one prefill, then decode steps.
 * A decode step is linear in the context, so all cost as much as the one at the mean context.
 */
export function staticBatchTokensPerSecond(pricer: StepPricer, work: StaticBatch): number {
  const { batch, inputTokens, outputTokens } = work;
  const steps = outputTokens - 1;
  const decode = makeStepShape({
    decodeSequences: batch,
    decodeContextTokens: batch * (inputTokens + outputTokens / 2),
  });
  const seconds = firstTokenSeconds(pricer, work) + steps * pricer.seconds(decode);
  return (batch * outputTokens) / seconds;
}
