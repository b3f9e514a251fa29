import { expF64 } from '../support/math.ts';
import { type Candidate, type LeafCandidates, type Mass, precedes } from './candidates.ts';
import { type Draw, drawState, gumbel } from './gumbel.ts';
import type { SamplingParams } from './params.ts';

/**
 * Draws from the tokens that min-p, top-k and top-p keep, each over what the one before has left,
 * after the temperature, as vLLM does. Returns undefined where the candidates do not prove that
 * set.
 */
export function drawFromNucleus(
  leaves: readonly LeafCandidates[],
  mass: Mass,
  params: SamplingParams,
  draw: Draw,
): number | undefined {
  const order = new MergedOrder(leaves);
  const weight = ({ score }: Candidate): number =>
    expF64((score - mass.maximum) / params.temperature);
  if (params.minP === 0 && params.topK === 0) {
    const nucleus = takeTopP(order, weight, params.topP * mass.sum);
    return nucleus && winner(nucleus, params, draw);
  }
  const kept = takeLikely(order, weight, params);
  if (kept === undefined || params.topP >= 1) return kept && winner(kept, params, draw);
  const total = kept.reduce((sum, candidate) => sum + weight(candidate), 0);
  return winner(takeTopP(listOrder(kept), weight, params.topP * total)!, params, draw);
}

/** Relative to the likeliest token's. */
type Weight = (candidate: Candidate) => number;

interface Order {
  next(): Candidate | 'end' | 'unproven';
}

/** What min-p and top-k keep: the likeliest token, and others after it. */
function takeLikely(
  order: Order,
  weight: Weight,
  { minP, topK }: SamplingParams,
): Candidate[] | undefined {
  const kept: Candidate[] = [];
  while (topK === 0 || kept.length < topK) {
    const next = order.next();
    if (next === 'unproven') return undefined;
    if (next === 'end' || (kept.length > 0 && weight(next) < minP)) break;
    kept.push(next);
  }
  return kept;
}

/** The likeliest token, and others after it until their weights reach `target`. */
function takeTopP(order: Order, weight: Weight, target: number): Candidate[] | undefined {
  const nucleus: Candidate[] = [];
  for (let reached = 0; nucleus.length === 0 || reached < target; ) {
    const next = order.next();
    if (next === 'unproven') return undefined;
    if (next === 'end') break;
    nucleus.push(next);
    reached += weight(next);
  }
  return nucleus;
}

/** Undefined where there are no candidates. */
function winner(
  candidates: readonly Candidate[],
  params: SamplingParams,
  draw: Draw,
): number | undefined {
  const state = drawState(draw);
  let best: Candidate | undefined;
  for (const { token, score } of candidates) {
    const drawn = { token, score: score / params.temperature + gumbel(state, token) };
    if (best === undefined || precedes(drawn, best)) best = drawn;
  }
  return best?.token;
}

function listOrder(list: readonly Candidate[]): Order {
  let index = 0;
  return { next: () => list[index++] ?? 'end' };
}

/**
 * Walks through the leaves' candidates in the order of the whole vocabulary, as far as that is
 * proven.
 */
class MergedOrder implements Order {
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
