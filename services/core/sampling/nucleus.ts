import { expF64 } from '../support/math.ts';
import { type Candidate, type LeafCandidates, type Mass, precedes } from './candidates.ts';
import { type Draw, drawState, gumbel } from './gumbel.ts';
import type { SamplingParams } from './params.ts';

/**
 * Draws from the top-k tokens and, within them, the smallest set whose probability reaches top-p
 * (temperature first, then top-k, then top-p over what is left, as vLLM and Hugging Face do).
 * Returns undefined where the candidates do not prove that set.
 */
export function drawFromNucleus(
  leaves: readonly LeafCandidates[],
  mass: Mass,
  params: SamplingParams,
  draw: Draw,
): number | undefined {
  const order = new MergedOrder(leaves);
  const kept = takeTopK(order, params.topK);
  if (kept === undefined) return undefined;
  const nucleus =
    params.topP >= 1
      ? kept
      : takeTopP(params.topK > 0 ? listOrder(kept) : order, mass, params, kept);
  return nucleus && winner(nucleus, params, draw);
}

/** The k most likely tokens; all of `order` stays unread where k is 0. */
function takeTopK(order: MergedOrder, topK: number): Candidate[] | undefined {
  const kept: Candidate[] = [];
  while (kept.length < topK) {
    const next = order.next();
    if (next === 'unproven') return undefined;
    if (next === 'end') break;
    kept.push(next);
  }
  return kept;
}

function takeTopP(
  order: { next(): Candidate | 'end' | 'unproven' },
  mass: Mass,
  params: SamplingParams,
  kept: readonly Candidate[],
): Candidate[] | undefined {
  const weight = (candidate: Candidate): number =>
    expF64((candidate.score - mass.maximum) / params.temperature);
  const total =
    params.topK > 0 ? kept.reduce((sum, candidate) => sum + weight(candidate), 0) : mass.sum;
  const nucleus: Candidate[] = [];
  for (let reached = 0; reached < params.topP * total; ) {
    const next = order.next();
    if (next === 'unproven') return undefined;
    if (next === 'end') break;
    nucleus.push(next);
    reached += weight(next);
  }
  return nucleus;
}

function winner(candidates: readonly Candidate[], params: SamplingParams, draw: Draw): number {
  const state = drawState(draw);
  let best: Candidate | undefined;
  for (const { token, score } of candidates) {
    const drawn = { token, score: score / params.temperature + gumbel(state, token) };
    if (best === undefined || precedes(drawn, best)) best = drawn;
  }
  return best!.token;
}

function listOrder(list: readonly Candidate[]): { next(): Candidate | 'end' } {
  let index = 0;
  return { next: () => list[index++] ?? 'end' };
}

/**
 * Walks through the leaves' candidates in the order of the whole vocabulary, as far as that is
 * proven.
 */
class MergedOrder {
  readonly #leaves: readonly LeafCandidates[];
  readonly #positions: number[];

  constructor(leaves: readonly LeafCandidates[]) {
    this.#leaves = leaves;
    this.#positions = leaves.map(() => 0);
  }

  next(): Candidate | 'end' | 'unproven' {
    let best: Candidate | undefined;
    let from = -1;
    for (let leaf = 0; leaf < this.#leaves.length; leaf++) {
      const { candidates, exhaustive } = this.#leaves[leaf]!;
      const head = candidates[this.#positions[leaf]!];
      if (head === undefined && !exhaustive) return 'unproven';
      if (head !== undefined && (best === undefined || precedes(head, best))) {
        best = head;
        from = leaf;
      }
    }
    if (best === undefined) return 'end';
    this.#positions[from]!++;
    return best;
  }
}
