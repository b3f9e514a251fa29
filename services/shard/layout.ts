import type { ModelConfig } from '../core/model/config.ts';
import type { Precision } from '../core/model/precision.ts';
import { channelsPerLeaf, type Leaf, rangeSize, type ShardPlan } from '../core/model/shard-plan.ts';
import type { KvFormat, WeightFormat } from '../kernels/kernels.ts';
import { PANEL_WIDTH, packedBytes } from '../kernels/packing.ts';
import { Arena } from './arena.ts';

/**
 * Where one packed matrix lies; `columns` is padded to the panel width, `columnScales` is 0 without
 * scales.
 */
export interface MatrixLayout {
  readonly weights: number;
  readonly columnScales: number;
  readonly inner: number;
  readonly columns: number;
  readonly format: WeightFormat;
}

/**
 * A leaf's slice of a row-parallel product: the matrix, and where its inputs begin within a row.
 */
export interface LeafLayout {
  readonly matrix: MatrixLayout;
  readonly inputOffset: number;
}

export interface LayerLayout {
  readonly attentionNorm: number; // f32 [hidden]
  readonly qkv: MatrixLayout;
  readonly attentionOutput: readonly LeafLayout[]; // one a leaf
  readonly mlpNorm: number; // f32 [hidden]
  readonly gateUp: MatrixLayout;
  readonly down: readonly LeafLayout[]; // one a leaf
  readonly keys: number; // f32 [block, kvHead, headDim, blockSize]
  readonly values: number; // f32 [block, kvHead, blockSize, headDim]
}

/** Row buffers of a step; strides count elements. */
export interface BufferLayout {
  readonly hidden: number; // f32 [rows, hiddenStride]
  readonly normed: number; // f32 [rows, hiddenStride]
  readonly normedScales: number; // f32 [rows]
  readonly qkv: number; // f32 [rows, qkvStride]
  readonly attended: number; // f32 [rows, attendedStride]
  readonly gateUp: number; // f32 [rows, gateUpStride]
  readonly activated: number; // f32 [rows, activatedStride]
  readonly leafScales: number; // f32 [leaf, rows]
  readonly attentionPartial: number; // f32 [rows, hiddenStride]
  readonly mlpPartial: number; // f32 [rows, hiddenStride]
  readonly headInput: number; // f32 [samples, hiddenStride]
  readonly logits: number; // f32 [samples, vocabStride]
  readonly positions: number; // i32 [rows]
  readonly slots: number; // i32 [rows]
  readonly lengths: number; // i32 [rows]
  readonly tables: number; // i32 [rows], addresses
  readonly tableBlocks: number; // i32 [samples, blocksPerSequence]
  readonly headRows: number; // i32 [samples]
  readonly headMap: number; // i32 [query heads]
}

/** Scratch that every thread needs for itself. */
export interface ScratchLayout {
  readonly scores: number; // f32 [longest context]
  readonly leafPartials: number; // f32 [leaf, ROW_TILE, hiddenStride]
}

export interface Strides {
  readonly hidden: number;
  readonly qkv: number;
  readonly attended: number;
  readonly gateUp: number;
  readonly activated: number;
  readonly leafChannels: number;
  readonly vocab: number;
}

export interface ShardOptions {
  readonly precision: Precision;
  readonly kvFormat: KvFormat;
  readonly blockSize: number;
  readonly kvBlocks: number;
  /** Rows of the largest step. */
  readonly maxRows: number;
  /** Sequences of the largest step, and rows of logits. */
  readonly maxSequences: number;
  readonly threads: number;
}

/**
 * The address of everything in a chip's memory. Plain data, so that every thread can have a copy.
 */
export interface ShardLayout {
  readonly plan: ShardPlan;
  readonly options: ShardOptions;
  readonly strides: Strides;
  readonly blocksPerSequence: number;
  readonly layers: readonly LayerLayout[];
  readonly finalNorm: number;
  readonly lmHead: MatrixLayout;
  readonly embedding: number; // f32 or bf16 [tokens, hidden]
  readonly cos: number; // f32 [maxPositions, headDim / 2]
  readonly sin: number;
  readonly buffers: BufferLayout;
  readonly scratch: readonly ScratchLayout[]; // one a thread
  /** Size of the memory in bytes. */
  readonly bytes: number;
}

/**
 * Rows that a row-parallel product handles at a time, so that its leaf partials stay in the cache.
 */
export const ROW_TILE = 32;

/** Lays out a shard's weights, KV cache and buffers, beginning at `base`. */
export function planLayout(plan: ShardPlan, options: ShardOptions, base: number): ShardLayout {
  const arena = new Arena(base);
  const { config } = plan;
  const strides = planStrides(plan);
  const blocksPerSequence = Math.min(
    Math.ceil(config.maxPositions / options.blockSize),
    options.kvBlocks,
  );
  const layers = Array.from({ length: config.layers }, () =>
    planLayer(arena, plan, options, strides),
  );
  return {
    plan,
    options,
    strides,
    blocksPerSequence,
    layers,
    finalNorm: arena.floats(config.hiddenSize),
    lmHead: planMatrix(arena, config.hiddenSize, strides.vocab, wideFormat(options), false),
    embedding: arena.reserve(
      rangeSize(plan.tokens) * config.hiddenSize * (options.precision === 'f32' ? 4 : 2),
    ),
    cos: arena.floats((config.maxPositions * config.headDim) / 2),
    sin: arena.floats((config.maxPositions * config.headDim) / 2),
    buffers: planBuffers(arena, plan, options, strides, blocksPerSequence),
    scratch: Array.from({ length: options.threads }, () => ({
      scores: arena.floats(blocksPerSequence * options.blockSize),
      leafPartials: arena.floats(plan.leaves.length * ROW_TILE * strides.hidden),
    })),
    bytes: arena.end,
  };
}

function wideFormat(options: ShardOptions): WeightFormat {
  return options.precision === 'f32' ? 'f32' : 'bf16';
}

function padTo(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function planStrides(plan: ShardPlan): Strides {
  const { config } = plan;
  const queryColumns = rangeSize(plan.queryHeads) * config.headDim;
  const kvColumns = rangeSize(plan.kvHeads) * config.headDim;
  const leafChannels = padTo(channelsPerLeaf(config), 4);
  const activated = plan.leaves.length * leafChannels;
  return {
    hidden: padTo(config.hiddenSize, PANEL_WIDTH),
    qkv: padTo(queryColumns + 2 * kvColumns, PANEL_WIDTH),
    attended: queryColumns,
    gateUp: padTo(2 * activated, PANEL_WIDTH),
    activated,
    leafChannels,
    vocab: padTo(rangeSize(plan.tokens), PANEL_WIDTH),
  };
}

function planMatrix(
  arena: Arena,
  inner: number,
  columns: number,
  format: WeightFormat,
  scaled: boolean,
): MatrixLayout {
  const weights = arena.reserve(packedBytes({ inner, columns, format }));
  return { weights, columnScales: scaled ? arena.floats(columns) : 0, inner, columns, format };
}

function planLayer(
  arena: Arena,
  plan: ShardPlan,
  options: ShardOptions,
  strides: Strides,
): LayerLayout {
  const { config } = plan;
  const format = wideFormat(options);
  const scaled = options.precision === 'fp8';
  const kvFloats = options.kvBlocks * rangeSize(plan.kvHeads) * options.blockSize * config.headDim;
  const leafMatrix = (inner: number): MatrixLayout =>
    planMatrix(arena, inner, strides.hidden, format, scaled);
  return {
    attentionNorm: arena.floats(config.hiddenSize),
    qkv: planMatrix(arena, config.hiddenSize, strides.qkv, format, scaled),
    attentionOutput: plan.leaves.map((leaf) => ({
      matrix: leafMatrix(rangeSize(leaf.queryHeads) * config.headDim),
      inputOffset: attendedOffset(config, plan, leaf),
    })),
    mlpNorm: arena.floats(config.hiddenSize),
    gateUp: planMatrix(arena, config.hiddenSize, strides.gateUp, format, scaled),
    down: plan.leaves.map((leaf, index) => ({
      matrix: leafMatrix(rangeSize(leaf.channels)),
      inputOffset: index * strides.leafChannels,
    })),
    keys: arena.floats(kvFloats),
    values: arena.floats(kvFloats),
  };
}

function attendedOffset(config: ModelConfig, plan: ShardPlan, leaf: Leaf): number {
  return (leaf.queryHeads.start - plan.queryHeads.start) * config.headDim;
}

function planBuffers(
  arena: Arena,
  plan: ShardPlan,
  options: ShardOptions,
  strides: Strides,
  blocksPerSequence: number,
): BufferLayout {
  const { maxRows, maxSequences } = options;
  return {
    hidden: arena.floats(maxRows * strides.hidden),
    normed: arena.floats(maxRows * strides.hidden),
    normedScales: arena.floats(maxRows),
    qkv: arena.floats(maxRows * strides.qkv),
    attended: arena.floats(maxRows * strides.attended),
    gateUp: arena.floats(maxRows * strides.gateUp),
    activated: arena.floats(maxRows * strides.activated),
    leafScales: arena.floats(maxRows * plan.leaves.length),
    attentionPartial: arena.floats(maxRows * strides.hidden),
    mlpPartial: arena.floats(maxRows * strides.hidden),
    headInput: arena.floats(maxSequences * strides.hidden),
    logits: arena.floats(maxSequences * strides.vocab),
    positions: arena.integers(maxRows),
    slots: arena.integers(maxRows),
    lengths: arena.integers(maxRows),
    tables: arena.integers(maxRows),
    tableBlocks: arena.integers(maxSequences * blocksPerSequence),
    headRows: arena.integers(maxSequences),
    headMap: arena.integers(rangeSize(plan.queryHeads)),
  };
}
