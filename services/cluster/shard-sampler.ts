import { rangeSize } from '../core/model/shard-plan.ts';
import {
  CANDIDATES_PER_LEAF,
  drawFromShard,
  massOf,
  mergeMasses,
  topOfLeaf,
} from '../core/sampling/candidates.ts';
import { needsNucleus, type SamplingParams } from '../core/sampling/params.ts';
import type { Shard } from '../shard/shard.ts';
import type { ChipSequences } from './chip-sequences.ts';
import type { ShardSample, StepCommand } from './messages.ts';

/** What this chip's part of the vocabulary says on every sampled row of a step. */
export function sampleShard(
  shard: Shard,
  command: StepCommand,
  sequences: ChipSequences,
): ShardSample[] {
  return command.sequences
    .filter(({ sample }) => sample)
    .map(({ id, start, tokens }, index) =>
      sampleRow(shard, index, sequences.get(id).sampling, start + tokens.length),
    );
}

function sampleRow(
  shard: Shard,
  index: number,
  params: SamplingParams,
  position: number,
): ShardSample {
  const logits = shard.logitsOf(index);
  const { plan } = shard.layout;
  if (!needsNucleus(params)) {
    const draw = { seed: params.seed, choice: 0, position };
    return {
      kind: 'candidate',
      candidate: drawFromShard(logits, plan.tokens.start, params, draw),
    };
  }
  const leafLogits = plan.leaves.map(({ tokens }) => {
    const start = tokens.start - plan.tokens.start;
    return logits.subarray(start, start + rangeSize(tokens));
  });
  const masses = leafLogits.map((leaf) => massOf(leaf, params.temperature));
  return {
    kind: 'nucleus',
    mass: mergeMasses(masses, params.temperature),
    leaves: leafLogits.map((leaf, i) =>
      topOfLeaf(leaf, plan.leaves[i]!.tokens, CANDIDATES_PER_LEAF),
    ),
  };
}
