import { randomInt } from 'node:crypto';
import type { GenerationRequest } from '../../core/scheduler/request.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { Tokenizer } from '../../core/text/tokenizer.ts';
import type { GenerateInput, Prompt } from '../../rpc/inference-types.ts';

/** What an engine knows that its clients need not. */
export interface RequestLimits {
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
  /** Most tokens of a prompt and its continuation. */
  readonly maxModelLen: number;
}

/**
 * Fills in what a client left to the engine: the tokens of a text, the seed, the length. Throws
 * InvalidArgumentError for ids that are no tokens of the model, and for lengths out of its reach.
 */
export function toGenerationRequest(
  input: GenerateInput,
  { tokenizer, vocabSize, maxModelLen }: RequestLimits,
): GenerationRequest {
  const { requestId, priority, cacheSalt, clientId } = input;
  const { seed, maxTokens, minTokens, ignoreEos, stopTokenIds, n, ...others } = input.sampling;
  // What the text of the tokens decides is for the engine alone.
  const { stop: _stop, includeStopStrInOutput: _include, ...sampling } = others;
  checkTokenIds('input_ids', tokenIdsOf(input.prompt), vocabSize);
  checkTokenIds('stop_token_ids', stopTokenIds, vocabSize);
  const biased = sampling.logitBias.map(({ token }) => token);
  checkTokenIds('logit_bias', biased, vocabSize);
  const { prompt } = input;
  const promptTokens = prompt.kind === 'text' ? tokenizer.encode(prompt.text) : prompt.tokenIds;
  const room = maxModelLen - promptTokens.length;
  checkMinTokens(minTokens, room);
  return {
    requestId,
    promptTokens,
    maxTokens: maxTokens ?? Math.max(1, room),
    minTokens,
    stopTokenIds,
    ignoreEos,
    sampling: { ...sampling, seed: seed ?? randomInt(2 ** 32) },
    n,
    priority,
    cacheSalt,
    clientId,
  };
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
