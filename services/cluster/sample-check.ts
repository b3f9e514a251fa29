import type { Candidate } from '../core/sampling/candidates.ts';
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
  return [...candidatesOf(draw), ...(logprobs?.logits ?? [])].every(
    ({ token }) => token < vocabSize,
  );
}

function candidatesOf(draw: ShardSample['draw']): readonly Candidate[] {
  if (draw.kind === 'nucleus') return draw.leaves.flatMap(({ candidates }) => candidates);
  return draw.candidate === undefined ? [] : [draw.candidate];
}
