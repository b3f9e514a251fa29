import type { Candidate } from '../core/sampling/candidates.ts';
import type { ShardLogprobs } from '../core/sampling/logprobs.ts';
import { needsNucleus, type SamplingParams } from '../core/sampling/params.ts';
import type { ShardSample } from './messages.ts';

/**
 * Whether a shard's sample is one that these parameters ask for, of tokens that the vocabulary has.
 */
export function isSoundSample(
  { draw, logprobs }: ShardSample,
  sampling: SamplingParams,
  vocabSize: number,
): boolean {
  const kind = needsNucleus(sampling) ? 'nucleus' : 'candidate';
  if (draw.kind !== kind) return false;
  if ((logprobs === undefined) !== (sampling.logprobs === undefined)) return false;
  const areTokens = candidatesOf(draw).every(({ token }) => token < vocabSize);
  return areTokens && (logprobs === undefined || areSoundLogprobs(logprobs, vocabSize));
}

/** Whether a shard's part of a row's log-probabilities is of tokens that the vocabulary has. */
export function areSoundLogprobs({ logits }: ShardLogprobs, vocabSize: number): boolean {
  return logits.every(({ token }) => token < vocabSize);
}

function candidatesOf(draw: ShardSample['draw']): readonly Candidate[] {
  if (draw.kind === 'nucleus') return draw.leaves.flatMap(({ candidates }) => candidates);
  return draw.candidate === undefined ? [] : [draw.candidate];
}
