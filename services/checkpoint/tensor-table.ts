import type { ModelConfig } from '../core/model/config.ts';
import type { LayerTensor, TensorId } from '../core/model/tensors.ts';

const LAYER_TENSORS: readonly LayerTensor[] = [
  'attentionNorm',
  'query',
  'key',
  'value',
  'attentionOutput',
  'mlpNorm',
  'gate',
  'up',
  'down',
];

/**
 * Every tensor that a checkpoint of this model stores; the LM head only where it is not the
 * embedding.
 */
export function listTensors(config: ModelConfig): TensorId[] {
  const tensors: TensorId[] = [{ kind: 'embedding' }];
  for (let layer = 0; layer < config.layers; layer++) {
    for (const kind of LAYER_TENSORS) tensors.push({ kind, layer });
  }
  tensors.push({ kind: 'finalNorm' });
  if (!config.tiedEmbeddings) tensors.push({ kind: 'lmHead' });
  return tensors;
}

/** The tensor that holds the values of `tensor`: the embedding for a tied LM head, else itself. */
export function storedTensor(config: ModelConfig, tensor: TensorId): TensorId {
  return tensor.kind === 'lmHead' && config.tiedEmbeddings ? { kind: 'embedding' } : tensor;
}

/** Rows and columns of a tensor; a norm is one row. */
export function tensorShape(config: ModelConfig, kind: TensorId['kind']): [number, number] {
  const { hiddenSize, intermediateSize, vocabSize } = config;
  const queryColumns = config.heads * config.headDim;
  const kvColumns = config.kvHeads * config.headDim;
  switch (kind) {
    case 'attentionNorm':
    case 'mlpNorm':
    case 'finalNorm':
      return [1, hiddenSize];
    case 'query':
      return [queryColumns, hiddenSize];
    case 'key':
    case 'value':
      return [kvColumns, hiddenSize];
    case 'attentionOutput':
      return [hiddenSize, queryColumns];
    case 'gate':
    case 'up':
      return [intermediateSize, hiddenSize];
    case 'down':
      return [hiddenSize, intermediateSize];
    case 'embedding':
    case 'lmHead':
      return [vocabSize, hiddenSize];
  }
}
