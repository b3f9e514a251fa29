import type { GrammarCompiler } from '../../core/grammar/grammar.ts';
import {
  finishReasonAfter,
  type GenerationRequest,
  type RequestProgress,
  stopTokenIdsOf,
  tokenLimitOf,
} from '../../core/scheduler/request.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { Resumption } from '../../rpc/inference-types.ts';
import { type SampleEnd, type SampleOptions, SampleText } from './sample-text.ts';
import { checkTokenIds } from './to-generation-request.ts';

/** What an engine knows of samples that it goes on with. */
export interface ResumeLimits {
  readonly options: SampleOptions;
  readonly vocabSize: number;
  readonly maxModelLen: number;
  readonly grammars: GrammarCompiler;
}

/** A sample that arrived whole, but for the word that it is complete. */
export interface EndedSample extends SampleEnd {
  readonly choice: number;
  readonly completionTokens: number;
}

/** Where the samples of a request stand that another stream of it began. */
export interface ResumedRequest {
  /** Of those that are not over. */
  readonly progress: RequestProgress;
  /** The text so far of the same, by choice. */
  readonly texts: ReadonlyMap<number, SampleText>;
  readonly ended: readonly EndedSample[];
}

/**
 * Goes through the tokens that a client has received, as they went out. Throws InvalidArgumentError,
 * with the field's name, where the request cannot have drawn them.
 */
export function resumeSamples(
  request: GenerationRequest,
  resumption: Resumption,
  limits: ResumeLimits,
): ResumedRequest {
  const toldPromptTokens = checkPrompt(request, resumption);
  const generated = new Map<number, readonly number[]>();
  const texts = new Map<number, SampleText>();
  const ended: EndedSample[] = [];
  for (const [choice, { tokenIds, isComplete }] of resumption.samples.entries()) {
    if (isComplete) continue;
    const text = new SampleText(request, limits.options);
    const end = replay(tokenIds, { request, limits, text, field: fieldOf(choice) });
    if (end !== undefined) ended.push({ ...end, choice, completionTokens: tokenIds.length });
    else {
      generated.set(choice, tokenIds);
      texts.set(choice, text);
    }
  }
  return { progress: { generated, toldPromptTokens }, texts, ended };
}

/**
 * Whether one request goes on with the other. Names alone would let anybody who guesses one end a
 * request; who knows all of this has made it.
 */
export function isSameRequest(one: GenerationRequest, other: GenerationRequest): boolean {
  if (one.requestId !== other.requestId || one.clientId !== other.clientId) return false;
  if (one.sampling.seed !== other.sampling.seed) return false;
  const { promptTokens } = other;
  return (
    one.promptTokens.length === promptTokens.length &&
    one.promptTokens.every((token, index) => token === promptTokens[index])
  );
}

function fieldOf(choice: number): string {
  return `resumption.samples[${choice}].token_ids`;
}

/** Prompt tokens that need not be told of: the first follows nothing. */
function checkPrompt(
  { promptTokens, sampling }: GenerationRequest,
  { promptLogprobs, samples }: Resumption,
): number {
  if (sampling.promptLogprobs === undefined) return 1;
  const all = promptTokens.length - 1;
  const hasTokens = samples.some(({ tokenIds, isComplete }) => isComplete || tokenIds.length > 0);
  if (promptLogprobs <= all && (promptLogprobs === all || !hasTokens)) return promptLogprobs + 1;
  throw new InvalidArgumentError(
    `resumption.input_logprobs must be ${hasTokens ? '' : 'at most '}${all}, not ${promptLogprobs}`,
  );
}

interface Replay {
  readonly request: GenerationRequest;
  readonly limits: ResumeLimits;
  /** Of the sample; is that of all tokens afterwards. */
  readonly text: SampleText;
  readonly field: string;
}

/** Why the sample is over with its last token; undefined where it goes on. */
function replay(tokenIds: readonly number[], place: Replay): SampleEnd | undefined {
  const { request, limits, text, field } = place;
  const tokenLimit = tokenLimitOf(request, limits.maxModelLen);
  const most = tokenLimit - request.promptTokens.length;
  if (tokenIds.length > most) {
    throw new InvalidArgumentError(
      `${field} must be at most the ${most} that the request may generate, not ${tokenIds.length}`,
    );
  }
  checkTokenIds(field, tokenIds, limits.vocabSize);
  const stopTokenIds = stopTokenIdsOf(request, limits.options.eosTokenIds);
  const rules = { request, stopTokenIds, tokenLimit };
  let end: SampleEnd | undefined;
  for (const [index, token] of tokenIds.entries()) {
    if (end !== undefined) {
      throw new InvalidArgumentError(
        `${field} must end with number ${index}, which ended the sample`,
      );
    }
    ({ end } = text.take(token, finishReasonAfter(rules, token, index + 1)));
  }
  checkConstraint(end === undefined ? tokenIds : tokenIds.slice(0, -1), place);
  return end;
}

function checkConstraint(
  tokenIds: readonly number[],
  { request: { constraint, promptTokens }, limits, field }: Replay,
): void {
  if (constraint === undefined) return;
  let state = limits.grammars.begin(constraint, promptTokens.at(-1));
  for (const token of tokenIds) {
    const next = state.advance(token);
    if (next === undefined) {
      throw new InvalidArgumentError(`${field} must be a text that the constraint allows`);
    }
    state = next;
  }
}
