import type { Architecture, LayerGroup } from '../architecture/architecture.ts';
import { layerMatrices, matrixSize } from '../architecture/matrices.ts';
import type { ChipSpec } from '../hardware/chip.ts';
import { chipCount, type Layout } from './layout.ts';
import { kvBytesOf, type PricedPrecision, WIDE_BYTES, weightBytesOf } from './precision.ts';
import { localExperts, localKvElements, shardMatrix } from './sharding.ts';

/** What a layout puts into the memory of the fullest chip, and what that leaves. */
export interface MemoryPlan {
  readonly fits: boolean;
  readonly chips: number;
  readonly memoryBytes: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  /** Left for keys and values; negative where the weights do not fit. */
  readonly kvBytes: number;
  /** Keys and values of one token on one chip, in its stage's layers. */
  readonly kvBytesPerToken: number;
  /** Tokens that one replica can hold. */
  readonly kvTokens: number;
}

export interface MemoryPlanOptions {
  readonly architecture: Architecture;
  readonly layout: Layout;
  readonly precision: PricedPrecision;
  readonly chip: Pick<ChipSpec, 'hbmBytes'>;
  /** Rows of the largest step. */
  readonly maxNumBatchedTokens: number;
  /** Sequences of the largest step. */
  readonly maxNumSeqs: number;
  /** Share of the memory that the engine may use at all. */
  readonly memoryFraction: number;
  /** Of what weights and activations leave of it. */
  readonly kvFraction: number;
}

/** What a driver, its libraries and their workspaces keep for themselves (assumed). */
const RESERVED_BYTES = 1.5e9;
/** Logits are sampled in f32, whole rows on every chip. */
const LOGIT_BYTES = 4;

/** Works out whether a model fits a layout, and how many tokens it can hold. */
export function planMemory(options: MemoryPlanOptions): MemoryPlan {
  const { architecture, layout, precision, chip } = options;
  const weightBytes = weightBytesPerChip(architecture, layout, precision);
  const activationBytes = activationBytesPerChip(options);
  const usable = Math.min(
    chip.hbmBytes * options.memoryFraction,
    chip.hbmBytes - reservedBytes(chip),
  );
  const kvBytes = (usable - weightBytes - activationBytes) * options.kvFraction;
  const kvBytesPerToken = kvBytesPerTokenOf(architecture, layout, precision);
  const kvTokens = kvBytesPerToken === 0 ? Number.POSITIVE_INFINITY : kvBytes / kvBytesPerToken;
  return {
    fits: kvBytes > 0 && kvTokens >= 1,
    chips: chipCount(layout),
    memoryBytes: chip.hbmBytes,
    weightBytes,
    activationBytes,
    kvBytes,
    kvBytesPerToken,
    kvTokens: Math.max(0, Math.floor(kvTokens)),
  };
}

/** Bytes of the weights of the fullest chip: its stage's layers and its part of the vocabulary. */
export function weightBytesPerChip(
  { groups, hiddenSize, vocabSize, tiedEmbeddings }: Architecture,
  layout: Layout,
  precision: PricedPrecision,
): number {
  const elements = groups.reduce(
    (sum, group) => sum + group.layers * layerElements(group, hiddenSize, layout),
    0,
  );
  const tables = tiedEmbeddings || layout.pp > 1 ? 1 : 2;
  const vocabulary = (tables * WIDE_BYTES * vocabSize * hiddenSize) / layout.tp;
  return elements * stageShare(groups, layout) * weightBytesOf(precision.weights) + vocabulary;
}

/** Bytes of the whole model, once. */
export function modelWeightBytes(architecture: Architecture, precision: PricedPrecision): number {
  return weightBytesPerChip(architecture, { tp: 1, pp: 1, ep: 1, dp: 1 }, precision);
}

function kvBytesPerTokenOf(
  { groups, diffusion }: Architecture,
  layout: Layout,
  precision: PricedPrecision,
): number {
  if (diffusion !== undefined) return 0;
  const elements = groups.reduce(
    (sum, group) => sum + group.layers * localKvElements(group, layout.tp),
    0,
  );
  return elements * stageShare(groups, layout) * kvBytesOf(precision);
}

function layerElements(group: LayerGroup, hiddenSize: number, layout: Layout): number {
  return layerMatrices(group, hiddenSize).reduce((sum, matrix) => {
    const shard = shardMatrix(matrix, group, layout);
    const copies = matrix.role === 'expert' ? localExperts(group, layout) : 1;
    return sum + matrixSize({ ...matrix, ...shard }) * copies;
  }, 0);
}

/** Small chips without a driver of their own reserve in proportion. */
function reservedBytes({ hbmBytes }: Pick<ChipSpec, 'hbmBytes'>): number {
  return Math.min(RESERVED_BYTES, 0.02 * hbmBytes);
}

/**
 * Residual, norm output and the widest product of a step's rows, which the layers use in turn, and the
 * logits of its sequences.
 */
function activationBytesPerChip(options: MemoryPlanOptions): number {
  const { architecture, layout, maxNumBatchedTokens } = options;
  const widest = Math.max(
    ...architecture.groups.flatMap((group) =>
      layerMatrices(group, architecture.hiddenSize).map(
        (matrix) => shardMatrix(matrix, group, layout).outputs,
      ),
    ),
  );
  const logits = options.maxNumSeqs * architecture.vocabSize * LOGIT_BYTES;
  return maxNumBatchedTokens * WIDE_BYTES * (3 * architecture.hiddenSize + 2 * widest) + logits;
}

/** Share of the layers on the fullest stage. */
function stageShare(groups: readonly LayerGroup[], { pp }: Layout): number {
  const layers = groups.reduce((sum, group) => sum + group.layers, 0);
  return Math.ceil(layers / pp) / layers;
}
