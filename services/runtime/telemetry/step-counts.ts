import type { ScheduledSequence } from '../../core/scheduler/step-builder.ts';
import { phaseOf } from './step-phase.ts';

/** What the parts of a step add up to. */
export interface StepCounts {
  /** Parts that prefill, and their tokens. */
  readonly prefills: number;
  readonly prefillTokens: number;
  /** Tokens of prompts, of which a preemption may have lost some before. */
  readonly promptTokens: number;
  /** Parts that draw a token. */
  readonly sampled: number;
}

/** Counts a step's parts, all in one walk: there are hundreds, and memory has let go of them. */
export function countStep(parts: readonly ScheduledSequence[]): StepCounts {
  let prefills = 0;
  let prefillTokens = 0;
  let promptTokens = 0;
  let sampled = 0;
  for (const part of parts) {
    const { start, count, sample, sequence } = part;
    if (sample) sampled++;
    if (phaseOf(part) === 'decode') continue;
    prefills++;
    prefillTokens += count;
    promptTokens += Math.max(0, Math.min(count, sequence.request.promptTokens.length - start));
  }
  return { prefills, prefillTokens, promptTokens, sampled };
}
