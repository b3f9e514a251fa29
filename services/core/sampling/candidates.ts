import type { Range } from '../model/shard-plan.ts';
import { expF64 } from '../support/math.ts';
import { type Draw, drawState, gumbel } from './gumbel.ts';
import { isGreedy, type SamplingParams } from './params.ts';

/** A token and its score: the logit, or for a draw logit / temperature + noise. */
export interface Candidate {
  readonly token: number;
  readonly score: number;
}

/**
 * Σ exp((logit − maximum) / temperature) over some tokens, with the maximum that it is relative to.
 */
export interface Mass {
  readonly maximum: number;
  readonly sum: number;
}

/** A leaf's most likely tokens, logit descending, then id ascending. */
export interface LeafCandidates {
  readonly candidates: readonly Candidate[];
  /** Whether these are all tokens of the leaf. */
  readonly exhaustive: boolean;
}

/**
 * Tokens that a vocabulary leaf sends for a nucleus; more are gathered where these cannot prove it.
 */
export const CANDIDATES_PER_LEAF = 32;

/** Orders by score descending, then token ascending: the one order in which ties are settled. */
export function precedes(a: Candidate, b: Candidate): boolean {
  return a.score > b.score || (a.score === b.score && a.token < b.token);
}

/**
 * The winner among a shard's tokens; `logits[i]` belongs to token `firstToken + i`. Undefined for
 * an empty shard.
 */
export function drawFromShard(
  logits: Float32Array,
  firstToken: number,
  params: SamplingParams,
  draw: Draw,
): Candidate | undefined {
  const state = drawState(draw);
  const greedy = isGreedy(params);
  let token = -1;
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    const score = greedy
      ? logits[i]!
      : logits[i]! / params.temperature + gumbel(state, firstToken + i);
    if (score > best || token < 0) {
      best = score;
      token = firstToken + i;
    }
  }
  return token < 0 ? undefined : { token, score: best };
}

/** The probability mass of one leaf, summed in f64 in token order. */
export function massOf(logits: Float32Array, temperature: number): Mass {
  let maximum = Number.NEGATIVE_INFINITY;
  for (const logit of logits) maximum = Math.max(maximum, logit);
  let sum = 0;
  if (maximum === Number.NEGATIVE_INFINITY) return { maximum, sum }; // empty, or all masked
  for (const logit of logits) sum += expF64((logit - maximum) / temperature);
  return { maximum, sum };
}

/** Adds masses in the reduction tree; `masses.length` is a power of two. */
export function mergeMasses(masses: readonly Mass[], temperature: number): Mass {
  if (masses.length === 1) return masses[0]!;
  const half = masses.length / 2;
  const left = mergeMasses(masses.slice(0, half), temperature);
  const right = mergeMasses(masses.slice(half), temperature);
  const maximum = Math.max(left.maximum, right.maximum);
  if (maximum === Number.NEGATIVE_INFINITY) return { maximum, sum: 0 };
  const scaled = (mass: Mass): number =>
    mass.sum === 0 ? 0 : mass.sum * expF64((mass.maximum - maximum) / temperature);
  return { maximum, sum: scaled(left) + scaled(right) };
}

/** The `limit` most likely tokens of a leaf. */
export function topOfLeaf(logits: Float32Array, tokens: Range, limit: number): LeafCandidates {
  const candidates = topTokens(logits, tokens.start, limit);
  return { candidates, exhaustive: logits.length <= limit };
}

/** The `limit` most likely tokens, most likely first; `logits[i]` belongs to `firstToken + i`. */
export function topTokens(logits: Float32Array, firstToken: number, limit: number): Candidate[] {
  if (logits.length <= limit) {
    const all = Array.from(logits, (score, index) => ({ token: firstToken + index, score }));
    return all.sort((a, b) => (precedes(a, b) ? -1 : 1));
  }
  const top: Candidate[] = [];
  for (let i = 0; i < logits.length && limit > 0; i++) {
    const score = logits[i]!;
    // Ids ascend: an equal score comes after those that are there.
    if (top.length === limit && !(score > top[limit - 1]!.score)) continue;
    if (top.length === limit) top.pop();
    let place = top.length;
    while (place > 0 && score > top[place - 1]!.score) place--;
    top.splice(place, 0, { token: firstToken + i, score });
  }
  return top;
}
