import { rangeSize } from '../core/model/shard-plan.ts';
import type { PromptLogprobs } from '../core/sampling/drawn-token.ts';
import { logitOf, mergeLogprobs, type ShardLogprobs } from '../core/sampling/logprobs.ts';
import type { Sequence } from '../core/scheduler/request.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';

/** What a step found of a sequence's prompt. */
export interface ToldPrompt {
  readonly sequence: Sequence;
  /** Position of the first of the tokens. */
  readonly start: number;
  readonly logprobs: readonly PromptLogprobs[];
}

type Parts = readonly Pick<ScheduledSequence, 'sequence' | 'promptTargets'>[];

/** Rows of the step that tell of prompts. */
export function countPromptRows(parts: Parts): number {
  return parts.reduce((sum, { promptTargets }) => sum + rangeSize(promptTargets), 0);
}

/**
 * What all shards' words on those rows give, `shards[rank][row]`, merged as for drawn tokens;
 * undefined where no honest group says so.
 */
export function mergePromptRows(
  parts: Parts,
  shards: readonly (readonly ShardLogprobs[])[],
): readonly ToldPrompt[] | undefined {
  const told: ToldPrompt[] = [];
  let row = 0;
  for (const { sequence, promptTargets } of parts) {
    const { start, end } = promptTargets;
    const logprobs: PromptLogprobs[] = [];
    for (let position = start; position < end; position++, row++) {
      const at = row;
      const merged = mergeRow(
        sequence,
        position,
        shards.map((rows) => rows[at]!),
      );
      if (merged === undefined) return undefined;
      logprobs.push(merged);
    }
    if (logprobs.length > 0) told.push({ sequence, start, logprobs });
  }
  return told;
}

function mergeRow(
  { tokens, request }: Sequence,
  position: number,
  shards: readonly ShardLogprobs[],
): PromptLogprobs | undefined {
  const token = tokens[position]!;
  const logit = logitOf(shards, token);
  if (logit === undefined) return undefined;
  return { token, ...mergeLogprobs(shards, logit, request.sampling.promptLogprobs ?? 0) };
}
