import type { ModelConfig } from './config.ts';

/** The chip-local parts of a step. Each runs without another chip's data. */
export const SEGMENT_KINDS = [
  'qkv', // norm, query/key/value projections, rotary embedding, KV store
  'attention', // attention over the paged cache, output projection: a partial sum
  'mlp', // norm, gate and up, SiLU, down: a partial sum
  'head', // final norm and LM head on the rows to be sampled
] as const;
export type SegmentKind = (typeof SEGMENT_KINDS)[number];

/** What chips exchange between segments. */
export const OPERATION_KINDS = [
  'embedding', // all-gather: each row is copied from the chip that owns its token
  'attention', // all-reduce of the attention partial sums
  'mlp', // all-reduce of the MLP partial sums
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** One element of a step: compute, or exchange with the other chips. */
export type StepStage =
  | { readonly kind: 'segment'; readonly segment: SegmentKind; readonly layer: number }
  | { readonly kind: 'collective'; readonly operation: OperationKind; readonly layer: number };

/**
 * What one iteration of a batch does on every chip of a group, in order; the same on all of them.
 */
export function planStep(config: ModelConfig): readonly StepStage[] {
  const stages: StepStage[] = [{ kind: 'collective', operation: 'embedding', layer: 0 }];
  for (let layer = 0; layer < config.layers; layer++) {
    stages.push(
      { kind: 'segment', segment: 'qkv', layer },
      { kind: 'segment', segment: 'attention', layer },
      { kind: 'collective', operation: 'attention', layer },
      { kind: 'segment', segment: 'mlp', layer },
      { kind: 'collective', operation: 'mlp', layer },
    );
  }
  stages.push({ kind: 'segment', segment: 'head', layer: config.layers });
  return stages;
}
