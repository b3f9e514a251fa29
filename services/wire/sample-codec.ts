import type { sohu } from '#proto';
import type { ShardDraw, ShardSample } from '../cluster/messages.ts';
import type { Candidate, LeafCandidates } from '../core/sampling/candidates.ts';
import type { ShardLogprobs } from '../core/sampling/logprobs.ts';
import { bytesToFloats, floatsToBytes } from './tensor-bytes.ts';

/** What a shard says on one sampled row, as a message. */
export function encodeSample({ draw, logprobs }: ShardSample): sohu.v1.ShardSample.$Properties {
  return {
    ...drawBody(draw),
    logprobs: logprobs ? encodeLogprobs(logprobs) : null,
  };
}

/** The opposite of `encodeSample`; what is absent has the wire's default. */
export function decodeSample(message: sohu.v1.ShardSample.$Properties): ShardSample {
  const { logprobs } = message;
  return { draw: drawOf(message), logprobs: logprobs ? decodeLogprobs(logprobs) : undefined };
}

/** A shard's part of a row's log-probabilities, as a message. */
export function encodeLogprobs({ mass, logits }: ShardLogprobs): sohu.v1.ShardLogprobs.$Properties {
  return { ...mass, ...listBody(logits) };
}

function drawBody(draw: ShardDraw): sohu.v1.ShardSample.$Properties {
  if (draw.kind === 'candidate') return draw.candidate ? { candidate: draw.candidate } : {};
  const leaves = draw.leaves.map(({ candidates, exhaustive }) => ({
    ...listBody(candidates),
    exhaustive,
  }));
  return { nucleus: { ...draw.mass, leaves } };
}

function listBody(candidates: readonly Candidate[]): { tokens: number[]; logits: Uint8Array } {
  return {
    tokens: candidates.map(({ token }) => token),
    logits: floatsToBytes(candidates.map(({ score }) => score)),
  };
}

function drawOf({ candidate, nucleus }: sohu.v1.ShardSample.$Properties): ShardDraw {
  if (!nucleus) {
    const winner = candidate && { token: candidate.token ?? 0, score: candidate.score ?? 0 };
    return { kind: 'candidate', candidate: winner ?? undefined };
  }
  return {
    kind: 'nucleus',
    mass: { maximum: nucleus.maximum ?? 0, sum: nucleus.sum ?? 0 },
    leaves: (nucleus.leaves ?? []).map(leafOf),
  };
}

function leafOf(message: sohu.v1.LeafCandidates.$Properties): LeafCandidates {
  return { candidates: listOf(message), exhaustive: message.exhaustive ?? false };
}

/** The opposite of `encodeLogprobs`. */
export function decodeLogprobs(message: sohu.v1.ShardLogprobs.$Properties): ShardLogprobs {
  const mass = { maximum: message.maximum ?? 0, sum: message.sum ?? 0 };
  return { mass, logits: listOf(message) };
}

/** A token whose logit is missing has none that could be drawn. */
function listOf(message: {
  readonly tokens?: readonly number[] | null | undefined;
  readonly logits?: Uint8Array | null | undefined;
}): Candidate[] {
  const logits = bytesToFloats(message.logits ?? new Uint8Array(0));
  return (message.tokens ?? []).map((token, index) => ({
    token,
    score: logits?.[index] ?? Number.NEGATIVE_INFINITY,
  }));
}
