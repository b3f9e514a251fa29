import type { LayerGroup } from '../architecture/architecture.ts';
import type { Matrix } from '../architecture/matrices.ts';
import type { Layout } from './layout.ts';

/** A chip's part of a matrix; of each expert's matrix that it holds. */
export interface MatrixShard {
  readonly inputs: number;
  readonly outputs: number;
}

/** How a matrix is cut for one chip. Cuts round up: what does not divide is padded. */
export function shardMatrix(matrix: Matrix, group: LayerGroup, layout: Layout): MatrixShard {
  const { inputs, outputs, role, name } = matrix;
  if (role === 'replicated') return { inputs, outputs };
  if (role === 'row') return { inputs: Math.ceil(inputs / layout.tp), outputs };
  if (role === 'expert') return shardExpert(matrix, layout);
  const cut = name === 'qkv' ? queryKeyColumns(group, layout.tp) : Math.ceil(outputs / layout.tp);
  return { inputs, outputs: cut };
}

/** KV heads that a chip holds: shared ones are copied where there are fewer than chips. */
export function localKvHeads(group: LayerGroup, tp: number): number {
  return group.attention.kind === 'grouped' ? Math.ceil(group.attention.kvHeads / tp) : 1;
}

/** Elements of keys and values of one token in one layer on one chip. */
export function localKvElements(group: LayerGroup, tp: number): number {
  const { attention } = group;
  return attention.kind === 'latent'
    ? attention.kvRank + attention.ropeDim
    : 2 * localKvHeads(group, tp) * attention.headDim;
}

/** Experts that a chip holds, whole or cut; 0 in a dense layer. */
export function localExperts({ feedForward }: LayerGroup, { ep }: Layout): number {
  return feedForward.kind === 'experts' ? feedForward.experts / ep : 0;
}

function queryKeyColumns(group: LayerGroup, tp: number): number {
  const { attention } = group;
  if (attention.kind === 'latent') return 0;
  return (attention.heads / tp + 2 * localKvHeads(group, tp)) * attention.headDim;
}

/** Chips that do not hold other experts cut each expert's width among them. */
function shardExpert({ name, inputs, outputs }: Matrix, layout: Layout): MatrixShard {
  const cut = (layout.tp * layout.dp) / layout.ep;
  return name === 'expert_down'
    ? { inputs: Math.ceil(inputs / cut), outputs }
    : { inputs, outputs: Math.ceil(outputs / cut) };
}
