import type { Range } from '../model/shard-plan.ts';
import type { Sequence } from './request.ts';

const NONE: Range = { start: 0, end: 0 };

/**
 * Whether log-probabilities of the prompt are still to be found. Each row of it must then be computed,
 * so that the prefix cache is not read; once they are told, a preemption may read it.
 */
export function awaitsPromptLogprobs(sequence: Sequence): boolean {
  const { request, choice, toldPromptTokens } = sequence;
  // All samples of a request have one prompt: the first tells of it.
  if (choice > 0 || request.sampling.promptLogprobs === undefined) return false;
  return toldPromptTokens < request.promptTokens.length;
}

/**
 * Positions of the prompt tokens whose log-probabilities `count` tokens from `start` give, each by the row
 * before it.
 */
export function promptTargets(sequence: Sequence, start: number, count: number): Range {
  if (!awaitsPromptLogprobs(sequence)) return NONE;
  const { request, toldPromptTokens } = sequence;
  const from = Math.max(start + 1, toldPromptTokens);
  const end = Math.min(start + count + 1, request.promptTokens.length);
  return from < end ? { start: from, end } : NONE;
}

/**
 * How many of `count` tokens from `start`, at least one, have logits that fit in `rows` rows (1 or more):
 * one for each prompt token to tell of, and one where the last row is sampled. All for whoever tells of
 * no prompt.
 */
export function tokensWithinRows(
  sequence: Sequence,
  part: { readonly start: number; readonly count: number; readonly rows: number },
): number {
  const { start, count, rows } = part;
  const targets = promptTargets(sequence, start, count);
  const size = targets.end - targets.start;
  const isSampled = start + count === sequence.tokens.length;
  if (size + Number(isSampled) <= rows || size === 0) return count;
  return size <= rows ? count - 1 : targets.start + rows - 1 - start;
}
