import type { Attention, FeedForward, LayerGroup } from './architecture.ts';

/** How tensor parallelism splits a matrix, and which rows meet it. */
export type MatrixRole =
  | 'column' // split along the output
  | 'row' // split along the input: a partial sum
  | 'replicated' // every chip holds all of it
  | 'conditioning' // split along the output, met by conditioning tokens once a sample
  | 'expert'; // one of many, met by the tokens that are routed to it

/** One weight matrix of a layer: [rows, inputs] × [inputs, outputs]. */
export interface Matrix {
  readonly name: string;
  readonly role: MatrixRole;
  readonly inputs: number;
  readonly outputs: number;
}

/** The weight matrices of one layer of a group, each expert's once. */
export function layerMatrices(group: LayerGroup, hiddenSize: number): readonly Matrix[] {
  const cross = group.crossTokens > 0 ? crossMatrices(group.attention, hiddenSize) : [];
  return [
    ...attentionMatrices(group.attention, hiddenSize),
    ...cross,
    ...feedForwardMatrices(group.feedForward, hiddenSize),
  ];
}

/** Elements of a matrix. */
export function matrixSize({ inputs, outputs }: Matrix): number {
  return inputs * outputs;
}

function attentionMatrices(attention: Attention, hidden: number): readonly Matrix[] {
  if (attention.kind === 'latent') return latentMatrices(attention, hidden);
  const width = attention.heads * attention.headDim;
  const kvWidth = attention.kvHeads * attention.headDim;
  return [column('qkv', hidden, width + 2 * kvWidth), row('attention_out', width, hidden)];
}

function latentMatrices(
  attention: Extract<Attention, { kind: 'latent' }>,
  hidden: number,
): readonly Matrix[] {
  const { heads, queryRank, kvRank, nopeDim, ropeDim, valueDim } = attention;
  const down = queryRank + kvRank + ropeDim;
  return [
    { name: 'latent_down', role: 'replicated', inputs: hidden, outputs: down },
    column('query_up', queryRank, heads * (nopeDim + ropeDim)),
    column('kv_up', kvRank, heads * (nopeDim + valueDim)),
    row('attention_out', heads * valueDim, hidden),
  ];
}

function crossMatrices(attention: Attention, hidden: number): readonly Matrix[] {
  const width = attention.heads * (attention.kind === 'grouped' ? attention.headDim : 0);
  return [
    column('cross_query', hidden, width),
    { name: 'cross_kv', role: 'conditioning', inputs: hidden, outputs: 2 * width },
    row('cross_out', width, hidden),
  ];
}

function feedForwardMatrices(feedForward: FeedForward, hidden: number): readonly Matrix[] {
  const inward = feedForward.gated ? 2 : 1;
  if (feedForward.kind === 'dense') {
    const size = feedForward.intermediateSize;
    return [column('gate_up', hidden, inward * size), row('down', size, hidden)];
  }
  const { experts, expertSize, sharedSize } = feedForward;
  const shared = [
    column('shared_gate_up', hidden, inward * sharedSize),
    row('shared_down', sharedSize, hidden),
  ];
  return [
    { name: 'router', role: 'replicated', inputs: hidden, outputs: experts },
    ...(sharedSize > 0 ? shared : []),
    { name: 'expert_gate_up', role: 'expert', inputs: hidden, outputs: inward * expertSize },
    { name: 'expert_down', role: 'expert', inputs: expertSize, outputs: hidden },
  ];
}

function column(name: string, inputs: number, outputs: number): Matrix {
  return { name, role: 'column', inputs, outputs };
}

function row(name: string, inputs: number, outputs: number): Matrix {
  return { name, role: 'row', inputs, outputs };
}
