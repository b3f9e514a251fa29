import type { Architecture, LayerGroup } from './architecture.ts';
import { layerMatrices, matrixSize } from './matrices.ts';

/** Weights of a model, in elements. */
export interface ParameterCount {
  readonly total: number;
  /** What one token meets: all but the experts that it is not routed to. */
  readonly active: number;
  /** Of `total`: the layers' matrices. */
  readonly layers: number;
  /** Of `total`: one table of the vocabulary. */
  readonly vocabulary: number;
}

/** Counts the matrices; norms and biases are below a thousandth and left out. */
export function countParameters(architecture: Architecture): ParameterCount {
  const { hiddenSize, groups, vocabSize, tiedEmbeddings } = architecture;
  const sum = (expertCopies: (group: LayerGroup) => number): number =>
    groups.reduce((total, group) => {
      const copies = expertCopies(group);
      return total + group.layers * layerSize(group, hiddenSize, copies);
    }, 0);
  const layers = sum(({ feedForward }) =>
    feedForward.kind === 'experts' ? feedForward.experts : 0,
  );
  const active = sum(({ feedForward }) =>
    feedForward.kind === 'experts' ? feedForward.active : 0,
  );
  const vocabulary = vocabSize * hiddenSize;
  const tables = vocabulary * (tiedEmbeddings ? 1 : 2);
  return { total: layers + tables, active: active + tables, layers, vocabulary };
}

/** Keys and values of one token in all layers, in elements, unsplit. */
export function kvElementsPerToken({ groups, diffusion }: Architecture): number {
  if (diffusion !== undefined) return 0;
  return groups.reduce((sum, { layers, attention }) => {
    const perLayer =
      attention.kind === 'latent'
        ? attention.kvRank + attention.ropeDim
        : 2 * attention.kvHeads * attention.headDim;
    return sum + layers * perLayer;
  }, 0);
}

/** FLOPs of one pair of a query and a key, in all layers: the score, and the value's share. */
export function attentionFlopsPerPair({ groups }: Architecture): number {
  return groups.reduce((sum, { layers, attention }) => {
    const perHead =
      attention.kind === 'latent'
        ? 2 * (attention.nopeDim + attention.ropeDim + attention.valueDim)
        : 4 * attention.headDim;
    return sum + layers * attention.heads * perHead;
  }, 0);
}

/**
 * FLOPs per processed token of requests that read `inputTokens` and write `outputTokens`: layers
 * for every token, attention to what came before, the head for outputs alone.
 */
export function flopsPerProcessedToken(
  architecture: Architecture,
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
): number {
  const { active, vocabulary } = countParameters(architecture);
  const tables = vocabulary * (architecture.tiedEmbeddings ? 1 : 2);
  const tokens = inputTokens + outputTokens;
  const body = 2 * (active - tables) * tokens;
  const head = 2 * vocabulary * outputTokens;
  const pairs = (tokens * tokens) / 2;
  return (body + head + attentionFlopsPerPair(architecture) * pairs) / tokens;
}

function layerSize(group: LayerGroup, hiddenSize: number, expertCopies: number): number {
  return layerMatrices(group, hiddenSize).reduce(
    (sum, matrix) => sum + matrixSize(matrix) * (matrix.role === 'expert' ? expertCopies : 1),
    0,
  );
}
