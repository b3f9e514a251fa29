import { assert, InvalidArgumentError } from '../support/errors.ts';
import type { ModelConfig } from './config.ts';

/** A half-open range of indices. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * One segment of the row-parallel inputs and of the vocabulary; leaves are the units that chips
 * divide among them.
 */
export interface Leaf {
  /**
   * Global query heads whose outputs this leaf multiplies with the attention output projection. May
   * be empty.
   */
  readonly queryHeads: Range;
  /** Global MLP channels of this leaf. May be empty where 8 does not divide the width. */
  readonly channels: Range;
  /** Global token ids whose embedding and logits this leaf owns. May be empty. */
  readonly tokens: Range;
}

/** What one chip of a tensor-parallel group holds and computes. */
export interface ShardPlan {
  readonly config: ModelConfig;
  readonly rank: number;
  readonly tensorParallel: number;
  /** This chip's leaves, in tree order. */
  readonly leaves: readonly Leaf[];
  /** Global query heads of all its leaves. */
  readonly queryHeads: Range;
  /** Global KV heads that these query heads read; chips that share one each hold a copy. */
  readonly kvHeads: Range;
  /** For each local query head, the local KV head that it reads. */
  readonly headMap: readonly number[];
  readonly tokens: Range;
}

export const TENSOR_PARALLEL_DEGREES = [1, 2, 4, 8] as const;

/** Number of items in a range. */
export function rangeSize(range: Range): number {
  return range.end - range.start;
}

/** Splits a model over `tensorParallel` chips and returns the part of chip `rank`. */
export function planShard(config: ModelConfig, tensorParallel: number, rank: number): ShardPlan {
  checkTensorParallel(config, tensorParallel);
  assert(rank >= 0 && rank < tensorParallel, `rank ${rank} of ${tensorParallel}`);
  const perChip = config.reductionLeaves / tensorParallel;
  const leaves = Array.from({ length: perChip }, (_, index) =>
    planLeaf(config, rank * perChip + index),
  );
  const queryHeads = span(leaves.map((leaf) => leaf.queryHeads));
  const kvHeads = kvHeadsOf(config, queryHeads);
  const group = config.heads / config.kvHeads;
  const headMap = Array.from(
    { length: rangeSize(queryHeads) },
    (_, head) => Math.floor((queryHeads.start + head) / group) - kvHeads.start,
  );
  const tokens = span(leaves.map((leaf) => leaf.tokens));
  return { config, rank, tensorParallel, leaves, queryHeads, kvHeads, headMap, tokens };
}

/** The chip that owns a token's embedding row. */
export function ownerOfToken(config: ModelConfig, tensorParallel: number, token: number): number {
  const perLeaf = Math.ceil(config.vocabSize / config.reductionLeaves);
  return Math.floor(Math.floor(token / perLeaf) / (config.reductionLeaves / tensorParallel));
}

/** MLP channels of a full leaf; the last leaves may hold fewer. */
export function channelsPerLeaf(config: ModelConfig): number {
  return Math.ceil(config.intermediateSize / config.reductionLeaves);
}

function planLeaf(config: ModelConfig, index: number): Leaf {
  const part = (total: number): Range => {
    const size = Math.ceil(total / config.reductionLeaves);
    return { start: Math.min(index * size, total), end: Math.min((index + 1) * size, total) };
  };
  return {
    queryHeads: part(config.heads),
    channels: part(config.intermediateSize),
    tokens: part(config.vocabSize),
  };
}

function kvHeadsOf(config: ModelConfig, queryHeads: Range): Range {
  if (rangeSize(queryHeads) === 0) return { start: 0, end: 0 };
  const group = config.heads / config.kvHeads;
  return {
    start: Math.floor(queryHeads.start / group),
    end: Math.floor((queryHeads.end - 1) / group) + 1,
  };
}

function span(ranges: readonly Range[]): Range {
  const first = ranges[0];
  const last = ranges.at(-1);
  assert(first !== undefined && last !== undefined, 'a chip owns at least one leaf');
  return { start: first.start, end: last.end };
}

function checkTensorParallel(config: ModelConfig, tensorParallel: number): void {
  const valid = TENSOR_PARALLEL_DEGREES.filter((degree) => degree <= config.reductionLeaves);
  if (!valid.some((degree) => degree === tensorParallel)) {
    throw new InvalidArgumentError(
      `tp must be one of ${valid.join(', ')}, not ${tensorParallel}: the model's products are split into ${config.reductionLeaves} leaves`,
    );
  }
}
