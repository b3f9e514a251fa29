import type { ScheduledSequence } from '../../core/scheduler/step-builder.ts';

export const STEP_PHASES = ['prefill', 'decode'] as const;
export type StepPhase = (typeof STEP_PHASES)[number];

/** What a part of a step is to its sequence; to compute lost tokens again is to prefill. */
export function phaseOf({ sequence, start, count }: ScheduledSequence): StepPhase {
  return count > 1 || start < sequence.request.promptTokens.length ? 'prefill' : 'decode';
}
