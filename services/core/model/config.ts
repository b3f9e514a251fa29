/** Llama-3 frequency scaling of rotary embeddings, as `rope_scaling` in a Hugging Face config. */
export interface Llama3RopeScaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalMaxPositions: number;
}

/** The architecture of a Llama-family decoder, independent of the file format that it came from. */
export interface ModelConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  /** Longest sequence, prompt and generated tokens together. */
  readonly maxPositions: number;
  readonly normEpsilon: number;
  readonly ropeTheta: number;
  readonly ropeScaling: Llama3RopeScaling | undefined;
  readonly tiedEmbeddings: boolean;
  /** Ids that end a generation. For llama2.c checkpoints both BOS and EOS do. */
  readonly stopTokenIds: readonly number[];
  /** Segments into which row-parallel products are split along K; part of the numeric contract. */
  readonly reductionLeaves: number;
}

/** The number of reduction leaves of every model whose file does not say otherwise. */
export const DEFAULT_REDUCTION_LEAVES = 8;
