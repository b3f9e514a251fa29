import type { SamplingParams } from './params.ts';
import { penalise } from './penalties.ts';
import type { TokenCounts } from './token-counts.ts';
import { applyTokenMask, type TokenMask } from './token-mask.ts';

/** What changes a row of logits before the draw. */
export interface LogitRules {
  readonly params: SamplingParams;
  /** Tokens that must not be drawn. */
  readonly masked: readonly number[];
  /** The tokens that may be drawn; undefined where all may. */
  readonly allowed: TokenMask | undefined;
  /** Undefined where nothing is penalised. */
  readonly counts: TokenCounts | undefined;
}

/** Whether the rules change any logit of the vocabulary. */
export function changesLogits({ params, masked, allowed, counts }: LogitRules): boolean {
  if (allowed !== undefined || counts !== undefined) return true;
  return masked.length > 0 || params.logitBias.length > 0;
}

/**
 * Applies the rules to a shard's logits in place, in vLLM's order: masks, bias, penalties; every
 * operation in f32. `logits[i]` belongs to token `firstToken + i`.
 */
export function applyLogitRules(
  logits: Float32Array,
  firstToken: number,
  { params, masked, allowed, counts }: LogitRules,
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
  // Masks outweigh whatever is added or multiplied: last, they need not pass through the others.
  if (allowed !== undefined) applyTokenMask(logits, firstToken, allowed);
  for (const token of masked) change(token, () => Number.NEGATIVE_INFINITY);
}
