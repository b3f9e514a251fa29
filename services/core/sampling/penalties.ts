import type { SamplingParams } from './params.ts';

const LARGEST_F32 = 3.4028234663852886e38;

/**
 * The logit of a token that the sequence holds, `outputCount` times in its output: repetition, then
 * frequency, then presence penalty, every operation in f32. Never NaN or infinite for a finite
 * logit.
 */
export function penalise(logit: number, outputCount: number, params: SamplingParams): number {
  const repeated = penaliseRepetition(logit, Math.fround(params.repetitionPenalty));
  if (outputCount === 0) return repeated;
  const frequency = Math.fround(Math.fround(params.frequencyPenalty) * outputCount);
  return Math.fround(Math.fround(repeated - frequency) - Math.fround(params.presencePenalty));
}

/** Towards minus infinity for a penalty above 1, whatever the sign of the logit. */
function penaliseRepetition(logit: number, penalty: number): number {
  if (!(logit > 0)) return Math.fround(logit * penalty);
  return Math.min(Math.fround(logit / penalty), LARGEST_F32);
}
