import { countsTokens } from '../core/sampling/params.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import type { SequenceAdmission, StepSequence } from './messages.ts';

/** What the chips are told of a sequence's part of a step; a constrained one has a mask. */
export function stepSequence(
  scheduled: ScheduledSequence,
  mask: TokenMask | undefined,
): StepSequence {
  const { sequence, start, count, sample, newBlocks, admitted } = scheduled;
  return {
    id: sequence.id,
    tokens: sequence.tokens.slice(start, start + count),
    start,
    sample,
    mask,
    blocks: newBlocks,
    admission: admitted ? admissionOf(scheduled) : undefined,
  };
}

function admissionOf({ sequence, start }: ScheduledSequence): SequenceAdmission {
  const { request, choice, maskedTokenIds, tokens } = sequence;
  const { sampling, promptTokens, constraint } = request;
  // The mask of a constrained sequence says when it may stop.
  const minTokens = constraint === undefined ? request.minTokens : 0;
  return {
    sampling,
    choice,
    promptLength: promptTokens.length,
    minTokens,
    stopTokenIds: minTokens > 0 ? maskedTokenIds : [],
    history: countsTokens(sampling) ? tokens.slice(0, start) : [],
  };
}
