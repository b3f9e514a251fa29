import {
  type LeafCandidates,
  mergeMasses,
  precedes,
  topOfLeaf,
} from '../core/sampling/candidates.ts';
import type { DrawLogprobs, DrawnToken } from '../core/sampling/drawn-token.ts';
import type { Draw } from '../core/sampling/gumbel.ts';
import { logitOf, mergeLogprobs } from '../core/sampling/logprobs.ts';
import { drawFromNucleus } from '../core/sampling/nucleus.ts';
import type { SamplingParams } from '../core/sampling/params.ts';
import type { Sequence } from '../core/scheduler/request.ts';
import type { ShardDraw, ShardSample } from './messages.ts';
import type { LogitsRow } from './shard-sampler.ts';

type NucleusDraw = Extract<ShardDraw, { kind: 'nucleus' }>;

/**
 * The token that all shards' samples of a row give: `unproven` where whole logits are needed,
 * `inconsistent` where no honest group says so.
 */
export function drawRow(
  sequence: Sequence,
  samples: readonly ShardSample[],
): DrawnToken | 'unproven' | 'inconsistent' {
  const { sampling } = sequence.request;
  const nuclei = nucleiOf(samples);
  const token =
    nuclei.length > 0
      ? drawNucleus(
          sequence,
          nuclei,
          nuclei.flatMap(({ leaves }) => leaves),
        )
      : winnerOf(samples);
  if (token === undefined) return nuclei.length > 0 ? 'unproven' : 'inconsistent';
  if (sampling.logprobs === undefined) return { token, logprobs: undefined };
  const logit = logitOf(shardLogprobs(samples), token);
  if (logit === undefined) return 'inconsistent';
  return { token, logprobs: logprobsOf(sampling, samples, logit) };
}

/** The token of a row with the logits of the whole vocabulary; undefined for an empty one. */
export function drawWholeRow(
  sequence: Sequence,
  samples: readonly ShardSample[],
  { logits, raw }: LogitsRow,
): DrawnToken | undefined {
  const leaf = topOfLeaf(logits, { start: 0, end: logits.length }, logits.length);
  const token = drawNucleus(sequence, nucleiOf(samples), [leaf]);
  if (token === undefined) return undefined;
  return {
    token,
    logprobs: logprobsOf(sequence.request.sampling, samples, (raw ?? logits)[token]!),
  };
}

function nucleiOf(samples: readonly ShardSample[]): NucleusDraw[] {
  return samples.flatMap(({ draw }) => (draw.kind === 'nucleus' ? [draw] : []));
}

function drawNucleus(
  sequence: Sequence,
  nuclei: readonly NucleusDraw[],
  leaves: readonly LeafCandidates[],
): number | undefined {
  const { sampling } = sequence.request;
  const mass = mergeMasses(
    nuclei.map((nucleus) => nucleus.mass),
    sampling.temperature,
  );
  return drawFromNucleus(leaves, mass, sampling, drawOf(sequence));
}

function winnerOf(samples: readonly ShardSample[]): number | undefined {
  const candidates = samples.flatMap(({ draw }) =>
    draw.kind === 'candidate' ? (draw.candidate ?? []) : [],
  );
  if (candidates.length === 0) return undefined;
  return candidates.reduce((best, next) => (precedes(next, best) ? next : best)).token;
}

function logprobsOf(
  { logprobs }: SamplingParams,
  samples: readonly ShardSample[],
  logit: number,
): DrawLogprobs | undefined {
  if (logprobs === undefined) return undefined;
  return mergeLogprobs(shardLogprobs(samples), logit, logprobs);
}

function shardLogprobs(samples: readonly ShardSample[]): NonNullable<ShardSample['logprobs']>[] {
  return samples.flatMap(({ logprobs }) => logprobs ?? []);
}

function drawOf({ request, choice, tokens }: Sequence): Draw {
  return { seed: request.sampling.seed, choice, position: tokens.length };
}
