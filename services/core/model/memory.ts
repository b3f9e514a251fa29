import type { ChipSpec } from '../hardware/chip.ts';
import { ModelError } from '../support/errors.ts';
import {
  type KvCacheDtype,
  type Precision,
  resolveKvFormat,
  weightElementBytes,
} from './precision.ts';
import { rangeSize, type ShardPlan } from './shard-plan.ts';

/** Bytes of the modelled chip's HBM, by use. */
export interface HbmUse {
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly kvBytesPerBlock: number;
}

export interface MemoryOptions {
  readonly precision: Precision;
  readonly kvCacheDtype: KvCacheDtype;
  readonly blockSize: number;
  /** Rows of the largest step. */
  readonly maxNumBatchedTokens: number;
  readonly numGpuBlocksOverride: number | undefined;
}

/** Host memory that one emulated chip spends on keys and values at the most. */
export const HOST_KV_BYTES = 256 * 1024 * 1024;

/**
 * What a shard occupies on the modelled chip. Embedding, norms and LM head are bf16 unless
 * everything is f32.
 */
export function accountHbm(plan: ShardPlan, options: MemoryOptions): HbmUse {
  return {
    weightBytes: weightBytes(plan, options.precision),
    activationBytes: activationBytes(plan, options.maxNumBatchedTokens),
    kvBytesPerBlock: kvBytesPerBlock(plan, options),
  };
}

/**
 * KV blocks of this chip: the least of what the modelled HBM leaves, the override, and the host's
 * bound. Throws a ModelError with the arithmetic where not even one block fits.
 */
export function countKvBlocks(plan: ShardPlan, options: MemoryOptions, chip: ChipSpec): number {
  const use = accountHbm(plan, options);
  const free = chip.hbmBytes - use.weightBytes - use.activationBytes;
  const modelled = Math.floor(free / use.kvBytesPerBlock);
  if (modelled < 1) throw new ModelError(explainOverflow(plan, use, chip));
  const host = Math.max(
    1,
    Math.floor(HOST_KV_BYTES / hostKvBytesPerBlock(plan, options.blockSize)),
  );
  return Math.min(modelled, host, options.numGpuBlocksOverride ?? Number.POSITIVE_INFINITY);
}

/**
 * Host bytes of one block on this chip: keys and values of all layers in f32; at least one byte
 * where it holds no head.
 */
export function hostKvBytesPerBlock(plan: ShardPlan, blockSize: number): number {
  const { config, kvHeads } = plan;
  return Math.max(1, 2 * 4 * config.layers * blockSize * rangeSize(kvHeads) * config.headDim);
}

function weightBytes(plan: ShardPlan, precision: Precision): number {
  const { config } = plan;
  const element = weightElementBytes(precision);
  const wide = precision === 'f32' ? 4 : 2;
  const scaleBytes = precision === 'fp8' ? 4 : 0;
  const queryColumns = rangeSize(plan.queryHeads) * config.headDim;
  const kvColumns = rangeSize(plan.kvHeads) * config.headDim;
  const channels = plan.leaves.reduce((sum, leaf) => sum + rangeSize(leaf.channels), 0);
  const columns = queryColumns + 2 * kvColumns + 2 * channels;
  const perLayer =
    config.hiddenSize * (columns + queryColumns + channels) * element +
    (columns + 2 * plan.leaves.length * config.hiddenSize) * scaleBytes +
    2 * config.hiddenSize * wide;
  const tables = config.tiedEmbeddings ? 1 : 2;
  const vocabulary = rangeSize(plan.tokens) * config.hiddenSize * wide * tables;
  return config.layers * perLayer + vocabulary + config.hiddenSize * wide;
}

function activationBytes(plan: ShardPlan, rows: number): number {
  const { config } = plan;
  const channels = plan.leaves.reduce((sum, leaf) => sum + rangeSize(leaf.channels), 0);
  const heads = 2 * rangeSize(plan.queryHeads) + 2 * rangeSize(plan.kvHeads);
  return 4 * rows * (3 * config.hiddenSize + heads * config.headDim + 3 * channels);
}

function kvBytesPerBlock(plan: ShardPlan, options: MemoryOptions): number {
  const { config } = plan;
  const format = resolveKvFormat(options.kvCacheDtype, options.precision);
  const perHead = { f32: 4, bf16: 2, fp8: 1 }[format] * config.headDim + (format === 'fp8' ? 4 : 0);
  return Math.max(1, 2 * config.layers * options.blockSize * rangeSize(plan.kvHeads) * perHead);
}

function explainOverflow(plan: ShardPlan, use: HbmUse, chip: ChipSpec): string {
  const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  const needed = use.weightBytes + use.activationBytes + use.kvBytesPerBlock;
  return (
    `the model does not fit ${plan.tensorParallel} ${chip.name} chip(s): chip ${plan.rank} needs ${gb(use.weightBytes)} of weights ` +
    `+ ${gb(use.activationBytes)} of activations + ${gb(use.kvBytesPerBlock)} for one KV block = ${gb(needed)}, and has ${gb(chip.hbmBytes)}`
  );
}
