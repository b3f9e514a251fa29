/** Attention with keys and values per head; `kvHeads` below `heads` share them in groups. */
export interface GroupedAttention {
  readonly kind: 'grouped';
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/**
 * Multi-head latent attention: keys and values are kept as one compressed vector a token, shared by
 * all heads (DeepSeek-V2, arXiv:2405.04434, section 2.1).
 */
export interface LatentAttention {
  readonly kind: 'latent';
  readonly heads: number;
  /** Rank of the compressed queries. */
  readonly queryRank: number;
  /** Rank of the compressed keys and values. */
  readonly kvRank: number;
  readonly nopeDim: number;
  readonly ropeDim: number;
  readonly valueDim: number;
}

export type Attention = GroupedAttention | LatentAttention;

/** A multi-layer perceptron; a gated one has a third matrix. */
export interface DenseFeedForward {
  readonly kind: 'dense';
  readonly intermediateSize: number;
  readonly gated: boolean;
}

/** A router that sends each token to `active` of `experts` perceptrons, and shared ones for all. */
export interface ExpertFeedForward {
  readonly kind: 'experts';
  readonly experts: number;
  readonly active: number;
  readonly expertSize: number;
  /** Width of all shared experts together; 0 for none. */
  readonly sharedSize: number;
  readonly gated: boolean;
}

export type FeedForward = DenseFeedForward | ExpertFeedForward;

/** Successive layers of one kind. */
export interface LayerGroup {
  readonly layers: number;
  readonly attention: Attention;
  /** Attention to this many conditioning tokens, as in a diffusion transformer; 0 for none. */
  readonly crossTokens: number;
  readonly feedForward: FeedForward;
}

/** A sample that is denoised as a whole, in place of a text that grows by a token. */
export interface Diffusion {
  /** Tokens of one sample. */
  readonly sampleTokens: number;
  readonly denoisingSteps: number;
  /** Two with classifier-free guidance. */
  readonly passesPerStep: number;
}

/**
 * What pricing needs to know of a transformer: sizes alone, for any family. The executable
 * `ModelConfig` converts to it; it is wider, for it holds experts, latent attention and diffusion.
 */
export interface Architecture {
  readonly name: string;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly tiedEmbeddings: boolean;
  /** Longest sequence; prompt and output together. */
  readonly maxPositions: number;
  readonly groups: readonly LayerGroup[];
  readonly diffusion: Diffusion | undefined;
  /** Where the sizes come from. */
  readonly source: string;
}

/** Layers of all groups. */
export function layerCount(architecture: Architecture): number {
  return architecture.groups.reduce((sum, { layers }) => sum + layers, 0);
}
