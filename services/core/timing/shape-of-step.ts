import { type Range, rangeSize } from '../model/shard-plan.ts';
import type { StepShape } from './step-shape.ts';

/** What one sequence computes in a step, as a scheduler says it. */
export interface ScheduledTokens {
  /** Position of the first of `count` tokens. */
  readonly start: number;
  readonly count: number;
  /** Whether its last row is sampled. */
  readonly sample: boolean;
  /** Prompt tokens whose log-probabilities it gives, each by another row of logits; none where absent. */
  readonly promptTargets?: Range;
}

/**
 * The counts of a scheduled step. A single token streams what is cached whether it was generated or
 * prompted, so that it counts as decoding; several are a part of a prompt, or of what a preemption
 * lost.
 */
export function shapeOfStep(sequences: readonly ScheduledTokens[]): StepShape {
  let prefillSequences = 0;
  let prefillTokens = 0;
  let prefillPairs = 0;
  let prefillCachedTokens = 0;
  let decodeContextTokens = 0;
  let sampledRows = 0;
  for (const { start, count, sample, promptTargets } of sequences) {
    if (sample) sampledRows++;
    if (promptTargets !== undefined) sampledRows += rangeSize(promptTargets);
    if (count === 1) {
      decodeContextTokens += start + 1;
      continue;
    }
    prefillSequences++;
    prefillTokens += count;
    prefillPairs += count * start + (count * (count + 1)) / 2;
    prefillCachedTokens += start;
  }
  return {
    prefillSequences,
    prefillTokens,
    prefillPairs,
    prefillCachedTokens,
    decodeSequences: sequences.length - prefillSequences,
    decodeContextTokens,
    sampledRows,
  };
}
