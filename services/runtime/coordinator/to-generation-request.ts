import { randomInt } from 'node:crypto';
import { CONSTRAINT_FIELDS, type Constraint } from '../../core/grammar/constraint.ts';
import type { GrammarCompiler } from '../../core/grammar/grammar.ts';
import type { SamplingParams } from '../../core/sampling/params.ts';
import type { GenerationRequest } from '../../core/scheduler/request.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { Tokenizer } from '../../core/text/tokenizer.ts';
import type { GenerateInput, Prompt } from '../../rpc/inference-types.ts';

/** What an engine knows that its clients need not. */
export interface RequestLimits {
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
  /** The model's own stop tokens. */
  readonly eosTokenIds: readonly number[];
  readonly grammars: GrammarCompiler;
  /** Most tokens of a prompt and its continuation. */
  readonly maxModelLen: number;
  /** Whether the chips hold no weights. */
  readonly isPhantom: boolean;
}

/**
 * Fills in what a client left to the engine: the tokens of a text, the seed, the length. Throws
 * InvalidArgumentError for ids that are no tokens of the model, for lengths out of its reach, and for
 * constraints that cannot be kept.
 */
export function toGenerationRequest(
  input: GenerateInput,
  limits: RequestLimits,
): GenerationRequest {
  const { tokenizer, vocabSize, maxModelLen } = limits;
  const { requestId, priority, cacheSalt, clientId } = input;
  const { seed, maxTokens, minTokens, ignoreEos, stopTokenIds, n, constraint, ...others } =
    input.sampling;
  // What the text of the tokens decides is for the engine alone.
  const { stop: _stop, includeStopStrInOutput: _include, ...sampling } = others;
  checkTokenIds('input_ids', tokenIdsOf(input.prompt), vocabSize);
  checkTokenIds('stop_token_ids', stopTokenIds, vocabSize);
  const biased = sampling.logitBias.map(({ token }) => token);
  checkTokenIds('logit_bias', biased, vocabSize);
  checkPromptLogprobs(sampling, limits);
  const { prompt } = input;
  const promptTokens = prompt.kind === 'text' ? tokenizer.encode(prompt.text) : prompt.tokenIds;
  const room = maxModelLen - promptTokens.length;
  checkMinTokens(minTokens, room);
  if (constraint !== undefined) checkConstraint(constraint, promptTokens, limits);
  return {
    requestId,
    promptTokens,
    maxTokens: maxTokens ?? Math.max(1, room),
    minTokens,
    stopTokenIds,
    ignoreEos,
    sampling: { ...sampling, seed: seed ?? randomInt(2 ** 32) },
    constraint,
    n,
    priority,
    cacheSalt,
    clientId,
  };
}

function checkPromptLogprobs(
  { promptLogprobs }: Pick<SamplingParams, 'promptLogprobs'>,
  { isPhantom }: RequestLimits,
): void {
  if (promptLogprobs === undefined || !isPhantom) return;
  throw new InvalidArgumentError(
    'prompt_logprobs must be absent: chips without weights do not compute prompts',
  );
}

/** The first mask is needed anyway: one that cannot be found is told before anything is computed. */
function checkConstraint(
  constraint: Constraint,
  promptTokens: readonly number[],
  { grammars, eosTokenIds }: RequestLimits,
): void {
  const field = CONSTRAINT_FIELDS[constraint.kind];
  if (eosTokenIds.length === 0) {
    throw new InvalidArgumentError(
      `${field} must be absent: the model has no end-of-text token to end with`,
    );
  }
  const { allowed } = grammars.begin(constraint, promptTokens.at(-1));
  if (allowed === undefined) {
    throw new InvalidArgumentError(`${field} must be less ambiguous: a step has no time for it`);
  }
}

/** Throws InvalidArgumentError, with the name of the field, for ids that are no tokens of the model. */
export function checkTokenIds(name: string, ids: readonly number[], vocabSize: number): void {
  const bad = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (bad === undefined) return;
  throw new InvalidArgumentError(
    `${name} must have token ids from 0 to ${vocabSize - 1}, not ${bad}`,
  );
}

function tokenIdsOf(prompt: Prompt): readonly number[] {
  return prompt.kind === 'tokens' ? prompt.tokenIds : [];
}

/** A prompt that leaves no room at all is for the scheduler to refuse. */
function checkMinTokens(minTokens: number, room: number): void {
  if (minTokens <= room || room < 1) return;
  throw new InvalidArgumentError(
    `min_tokens must be at most ${room}, which the context length leaves, not ${minTokens}`,
  );
}
