import { logF64 } from '../support/math.ts';
import { type Candidate, type Mass, mergeMasses, precedes } from './candidates.ts';
import type { DrawLogprobs } from './drawn-token.ts';

/** A shard's part of a row's log-probabilities, all of the model's own logits. */
export interface ShardLogprobs {
  /** Of the shard's tokens, at temperature 1. */
  readonly mass: Mass;
  /**
   * Logits of the tokens that the draw may fall on, as far as known, or of the prompted one, and of
   * the likeliest ones.
   */
  readonly logits: readonly Candidate[];
}

/** The logit that the shards tell of a token; undefined where none does. */
export function logitOf(shards: readonly ShardLogprobs[], token: number): number | undefined {
  for (const { logits } of shards) {
    const found = logits.find((candidate) => candidate.token === token);
    if (found !== undefined) return found.score;
  }
  return undefined;
}

/**
 * Log-probabilities of a drawn token and of the `count` likeliest: logit − ln Σ exp(logits), in f64
 * and the same at every number of shards, which is a power of two.
 */
export function mergeLogprobs(
  shards: readonly ShardLogprobs[],
  drawnLogit: number,
  count: number,
): DrawLogprobs {
  const mass = mergeMasses(
    shards.map((shard) => shard.mass),
    1,
  );
  const logarithm = logF64(mass.sum);
  const logprobOf = (logit: number): number => logit - mass.maximum - logarithm;
  const likeliest = shards
    .flatMap(({ logits }) => logits)
    .sort((a, b) => (precedes(a, b) ? -1 : 1))
    .slice(0, count);
  return {
    logprob: logprobOf(drawnLogit),
    top: likeliest.map(({ token, score }) => ({ token, logprob: logprobOf(score) })),
  };
}
