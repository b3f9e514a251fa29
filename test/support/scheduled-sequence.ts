import { promptTargets } from '../../services/core/scheduler/prompt-targets.ts';
import {
  createSequence,
  type GenerationRequest,
  type Sequence,
} from '../../services/core/scheduler/request.ts';
import type { ScheduledSequence } from '../../services/core/scheduler/step-builder.ts';
import { makeSchedulerOptions } from './scheduler-options.ts';

/** A sequence inside a scheduler that has generated some tokens. */
export function makeSequence(options: {
  readonly request: GenerationRequest;
  readonly generated?: readonly number[];
  readonly choice?: number;
  readonly id?: number;
}): Sequence {
  const { request, generated = [], choice = 0, id = 1 } = options;
  const limits = makeSchedulerOptions({ maxModelLen: 1e6 });
  const sequence = createSequence({
    id,
    request,
    choice,
    generated: [],
    nowMicros: 0,
    options: limits,
  });
  sequence.tokens = [...request.promptTokens, ...generated];
  sequence.state = 'running';
  return sequence;
}

/** Its part of a step that computes tokens from `start` up to `end`. */
export function scheduleTokens(
  sequence: Sequence,
  part: { readonly start: number; readonly end: number; readonly admitted: boolean },
): ScheduledSequence {
  const { start, end, admitted } = part;
  const sample = end === sequence.tokens.length;
  const count = end - start;
  const targets = promptTargets(sequence, start, count);
  return { sequence, start, count, admitted, newBlocks: [], sample, promptTargets: targets };
}
