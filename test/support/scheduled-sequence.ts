import type { GenerationRequest, Sequence } from '../../services/core/scheduler/request.ts';
import type { ScheduledSequence } from '../../services/core/scheduler/scheduler.ts';

/** A sequence inside a scheduler that has generated some tokens. */
export function makeSequence(options: {
  readonly request: GenerationRequest;
  readonly generated?: readonly number[];
  readonly choice?: number;
  readonly id?: number;
}): Sequence {
  const { request, generated = [], choice = 0, id = 1 } = options;
  return {
    id,
    request,
    choice,
    stopTokenIds: request.stopTokenIds,
    tokens: [...request.promptTokens, ...generated],
    tokenLimit: request.promptTokens.length + request.maxTokens,
    state: 'running',
    computedTokens: 0,
    blocks: [],
    blockHashes: [],
    cachedTokens: 0,
    preemptions: 0,
    times: {
      arrivalMicros: 0,
      admittedMicros: undefined,
      firstTokenMicros: undefined,
      lastTokenMicros: undefined,
    },
  };
}

/** Its part of a step that computes tokens from `start` up to `end`. */
export function scheduleTokens(
  sequence: Sequence,
  part: { readonly start: number; readonly end: number; readonly admitted: boolean },
): ScheduledSequence {
  const { start, end, admitted } = part;
  const sample = end === sequence.tokens.length;
  return { sequence, start, count: end - start, admitted, newBlocks: [], sample };
}
