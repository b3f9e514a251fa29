import { rangeSize } from '../core/model/shard-plan.ts';
import { countsTokens } from '../core/sampling/params.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import type { PromptTargets, SequenceAdmission, StepSequence } from './messages.ts';

const NO_TOKENS: readonly number[] = [];

/**
 * What the chips are told of a sequence's part of a step: a constrained one has a mask, and chips that
 * compute nothing are not told which tokens it has.
 */
export function stepSequence(
  scheduled: ScheduledSequence,
  told: { readonly mask: TokenMask | undefined; readonly readsTokens: boolean },
): StepSequence {
  const { mask, readsTokens } = told;
  const { sequence, start, count, sample, newBlocks, admitted } = scheduled;
  return {
    id: sequence.id,
    count,
    tokens: readsTokens ? sequence.tokens.slice(start, start + count) : NO_TOKENS,
    start,
    sample,
    mask,
    targets: targetsOf(scheduled),
    blocks: newBlocks,
    admission: admitted ? admissionOf(scheduled, readsTokens) : undefined,
  };
}

function targetsOf({ sequence, promptTargets }: ScheduledSequence): PromptTargets | undefined {
  if (rangeSize(promptTargets) === 0) return undefined;
  const { start, end } = promptTargets;
  return { start, tokens: sequence.tokens.slice(start, end) };
}

function admissionOf(
  { sequence, start }: ScheduledSequence,
  readsTokens: boolean,
): SequenceAdmission {
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
    history: readsTokens && countsTokens(sampling) ? tokens.slice(0, start) : [],
  };
}
