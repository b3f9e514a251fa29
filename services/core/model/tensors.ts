/**
 * The tensors of a Llama-family model. Matrices are [rows = outputs, columns = inputs], row-major.
 */
export type LayerTensor =
  | 'attentionNorm' // [1, hidden]
  | 'query' // [heads × headDim, hidden], rotate-half layout
  | 'key' // [kvHeads × headDim, hidden], rotate-half layout
  | 'value' // [kvHeads × headDim, hidden]
  | 'attentionOutput' // [hidden, heads × headDim]
  | 'mlpNorm' // [1, hidden]
  | 'gate' // [intermediate, hidden]
  | 'up' // [intermediate, hidden]
  | 'down'; // [hidden, intermediate]

export type ModelTensor =
  | 'embedding' // [vocab, hidden]
  | 'finalNorm' // [1, hidden]
  | 'lmHead'; // [vocab, hidden]; the embedding itself where the two are tied

/** Names one tensor; `layer` is absent for the three that belong to no layer. */
export type TensorId =
  | { readonly kind: LayerTensor; readonly layer: number }
  | { readonly kind: ModelTensor };

/** A half-open rectangle of a matrix. */
export interface TensorSlice {
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly columnStart: number;
  readonly columnEnd: number;
}

/** Where a shard reads its weights. Implementations read only the bytes that the slice covers. */
export interface TensorSource {
  /** Returns the slice as f32, [rowEnd − rowStart, columnEnd − columnStart], row-major. */
  read(tensor: TensorId, slice: TensorSlice): Float32Array;
}
