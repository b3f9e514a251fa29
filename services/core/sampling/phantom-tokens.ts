import type { Range } from '../model/shard-plan.ts';
import { rangeSize } from '../model/shard-plan.ts';
import type { DrawLogprobs, TokenLogprob } from './drawn-token.ts';
import { type Draw, drawState, uniform } from './gumbel.ts';
import { drawOutputLength, type OutputLengths } from './output-lengths.ts';
import { isAllowed, type TokenMask } from './token-mask.ts';

/** What a model without weights draws: any of some ids with equal probability, and at last its end of text. */
export interface PhantomTokens {
  /** Ids that are drawn. */
  readonly drawn: Range;
  /** The model's own; the first is its end of text. */
  readonly stopTokenIds: readonly number[];
  readonly lengths: OutputLengths;
}

/** Of a sequence, what its draws depend on. */
export interface PhantomSequence {
  readonly seed: number;
  readonly choice: number;
  readonly promptLength: number;
  /** Generated tokens before which none of the stop tokens is drawn. */
  readonly minTokens: number;
  /** Empty where `minTokens` is 0. */
  readonly stopTokenIds: readonly number[];
}

/**
 * Draws the token at an absolute position from a counter: neither batch nor degree, chunking nor
 * preemption can change it. The end of text comes once, where the length model says or, if that is
 * sooner than `minTokens`, right after them; whoever ignores it goes on with other tokens. A mask that
 * does not allow the token makes it one of those that it allows.
 */
export function drawPhantomToken(
  model: PhantomTokens,
  sequence: PhantomSequence,
  position: number,
  mask?: TokenMask,
): number {
  const token = drawFreely(model, sequence, position);
  if (mask === undefined || isAllowed(mask, token)) return token;
  return drawAllowed(mask, { ...sequence, position });
}

function drawFreely(model: PhantomTokens, sequence: PhantomSequence, position: number): number {
  const generated = position - sequence.promptLength;
  const [endOfText] = model.stopTokenIds;
  if (endOfText !== undefined && generated === lastIndex(model.lengths, sequence)) return endOfText;
  const masked = generated < sequence.minTokens ? sequence.stopTokenIds : [];
  const { seed, choice } = sequence;
  return drawOther(model, { seed, choice, position }, masked);
}

/** Draws one of the allowed tokens, all of them equally likely. */
function drawAllowed(mask: TokenMask, draw: Draw): number {
  const allowed = tokensOf(mask);
  return allowed[Math.floor(uniform(drawState(draw), 1) * allowed.length)] ?? 0;
}

function tokensOf(mask: TokenMask): readonly number[] {
  if (mask.kind === 'tokens') return mask.tokens;
  return Array.from({ length: 8 * mask.bits.length }, (_, token) => token).filter((token) =>
    isAllowed(mask, token),
  );
}

/** Index among the generated tokens of the end of text. */
function lastIndex(lengths: OutputLengths, sequence: PhantomSequence): number {
  return Math.max(drawOutputLength(lengths, sequence) - 1, sequence.minTokens);
}

/** Draws one of the ids that are no stop token of the model's; the next one where it is masked. */
function drawOther(
  { drawn, stopTokenIds }: PhantomTokens,
  draw: Draw,
  masked: readonly number[],
): number {
  const size = rangeSize(drawn);
  const first = Math.floor(uniform(drawState(draw), 0) * size);
  for (let offset = 0; offset < size; offset++) {
    const token = drawn.start + ((first + offset) % size);
    if (!stopTokenIds.includes(token) && !masked.includes(token)) return token;
  }
  return drawn.start + first;
}

/**
 * Log-probabilities of a phantom's draw: all ids are equally likely, the drawn one is named first, and
 * beside it the `count` − 1 ids after it.
 */
export function phantomLogprobs(
  { drawn }: PhantomTokens,
  token: number,
  count: number,
): DrawLogprobs {
  const size = rangeSize(drawn);
  const logprob = -Math.log(size);
  const top = Array.from({ length: Math.min(count, size) }, (_, offset): TokenLogprob => {
    const next = drawn.start + ((token - drawn.start + offset + size) % size);
    return { token: offset === 0 ? token : next, logprob };
  });
  return { logprob, top };
}
