import { countsTokens } from '../core/sampling/params.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import type { SequenceAdmission, StepSequence } from './messages.ts';

const NO_TOKENS: readonly number[] = [];

/**
 * What the chips are told of a sequence's part of a step; chips that compute nothing are not told
 * which tokens it has.
 */
export function stepSequence(scheduled: ScheduledSequence, readsTokens: boolean): StepSequence {
  const { sequence, start, count, sample, newBlocks, admitted } = scheduled;
  return {
    id: sequence.id,
    count,
    tokens: readsTokens ? sequence.tokens.slice(start, start + count) : NO_TOKENS,
    start,
    sample,
    blocks: newBlocks,
    admission: admitted ? admissionOf(scheduled, readsTokens) : undefined,
  };
}

function admissionOf(
  { sequence, start }: ScheduledSequence,
  readsTokens: boolean,
): SequenceAdmission {
  const { request, choice, stopTokenIds, tokens } = sequence;
  const { sampling, minTokens, promptTokens } = request;
  return {
    sampling,
    choice,
    promptLength: promptTokens.length,
    minTokens,
    stopTokenIds: minTokens > 0 ? stopTokenIds : [],
    history: readsTokens && countsTokens(sampling) ? tokens.slice(0, start) : [],
  };
}
