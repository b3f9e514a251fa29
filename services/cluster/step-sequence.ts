import { countsTokens } from '../core/sampling/params.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import type { SequenceAdmission, StepSequence } from './messages.ts';

/** What the chips are told of a sequence's part of a step. */
export function stepSequence(scheduled: ScheduledSequence): StepSequence {
  const { sequence, start, count, sample, newBlocks, admitted } = scheduled;
  return {
    id: sequence.id,
    tokens: sequence.tokens.slice(start, start + count),
    start,
    sample,
    blocks: newBlocks,
    admission: admitted ? admissionOf(scheduled) : undefined,
  };
}

function admissionOf({ sequence, start }: ScheduledSequence): SequenceAdmission {
  const { request, choice, maskedTokenIds, tokens } = sequence;
  const { sampling, minTokens, promptTokens } = request;
  return {
    sampling,
    choice,
    promptLength: promptTokens.length,
    minTokens,
    stopTokenIds: maskedTokenIds,
    history: countsTokens(sampling) ? tokens.slice(0, start) : [],
  };
}
