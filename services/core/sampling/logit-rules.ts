import type { SamplingParams } from './params.ts';
import { penalise } from './penalties.ts';
import type { TokenCounts } from './token-counts.ts';

/** What changes a row of logits before the draw. */
export interface LogitRules {
  readonly params: SamplingParams;
  /** Tokens that must not be drawn. */
  readonly masked: readonly number[];
  /** Undefined where nothing is penalised. */
  readonly counts: TokenCounts | undefined;
}

/** Whether the rules change any logit of the vocabulary. */
export function changesLogits({ params, masked, counts }: LogitRules): boolean {
  return masked.length > 0 || params.logitBias.length > 0 || counts !== undefined;
}

/**
 * Applies the rules to a shard's logits in place, in vLLM's order: mask, bias, penalties; every
 * operation in f32. `logits[i]` belongs to token `firstToken + i`.
 */
export function applyLogitRules(
  logits: Float32Array,
  firstToken: number,
  { params, masked, counts }: LogitRules,
): void {
  const change = (token: number, changed: (logit: number) => number): void => {
    const logit = logits[token - firstToken];
    if (logit !== undefined) logits[token - firstToken] = changed(logit);
  };
  for (const { token, bias } of params.logitBias) {
    change(token, (logit) => Math.fround(logit + Math.fround(bias)));
  }
  for (const [token, outputCount] of counts?.outputCounts ?? []) {
    change(token, (logit) => penalise(logit, outputCount, params));
  }
  // The mask outweighs whatever is added or multiplied: last, it need not pass through the others.
  for (const token of masked) change(token, () => Number.NEGATIVE_INFINITY);
}
