import type { Constraint } from '../grammar/constraint.ts';
import { type BlockTable, emptyBlockTable } from '../kv/block-table.ts';
import type { SamplingParams } from '../sampling/params.ts';
import type { SchedulerOptions } from './options.ts';

/** Why a generation ended by itself: a stop token, or its length. */
export type FinishReason = 'stop' | 'length';

/** What a client asks for, as token ids. */
export interface GenerationRequest {
  readonly requestId: string;
  readonly promptTokens: readonly number[];
  /** Tokens to generate at the most. */
  readonly maxTokens: number;
  /**
   * Generated tokens before which no stop token is drawn, not even one that `ignoreEos` passes, unless
   * the constraint allows no other.
   */
  readonly minTokens: number;
  /** Ids that end the generation beside the model's own. */
  readonly stopTokenIds: readonly number[];
  /** Whether the model's own stop tokens are generated through. */
  readonly ignoreEos: boolean;
  readonly sampling: SamplingParams;
  /** What the text of every sample must be; undefined where it may be any. */
  readonly constraint: Constraint | undefined;
  /** Parallel samples of the same prompt. */
  readonly n: number;
  /** Smaller comes first, where the policy goes by it. */
  readonly priority: number;
  /** Requests share prefixes only with those of the same salt. */
  readonly cacheSalt: string;
  /** Whom the request is served for, where the policy is fair between clients. */
  readonly clientId: string;
}

/** How far a request had come that goes on with another engine. */
export interface RequestProgress {
  /** The tokens that each sample which is not over has drawn, by choice. */
  readonly generated: ReadonlyMap<number, readonly number[]>;
  /** Prompt tokens, from its beginning, whose log-probabilities were told; 1 where none was. */
  readonly toldPromptTokens: number;
}

/** Moments of a request in microseconds, of the scheduler's clock where nothing else is said. */
export interface RequestTimes {
  readonly arrivalMicros: number;
  /** The most recent step, up to the first token, that took it in from the queue. */
  admittedMicros: number | undefined;
  firstTokenMicros: number | undefined;
  lastTokenMicros: number | undefined;
}

/** One sample of a request inside the scheduler. */
export interface Sequence {
  /** Number that the chips know it by; never reused. */
  readonly id: number;
  readonly request: GenerationRequest;
  /** Which of the request's parallel samples it is. */
  readonly choice: number;
  /** Ids that end it. */
  readonly stopTokenIds: readonly number[];
  /** Ids that are not drawn before `minTokens`: those, and the model's own even where they end nothing. */
  readonly maskedTokenIds: readonly number[];
  /** Prompt and generated tokens: the request's own list until `appendToken` has made a copy. */
  tokens: readonly number[];
  /** Generated tokens that it came with: an engine before this one drew them. */
  readonly resumedTokens: number;
  /** Most tokens that the sequence may ever have. */
  readonly tokenLimit: number;
  /** `ended` by itself, or with its group; `cancelled` by its client, perhaps after its end. */
  state: 'waiting' | 'running' | 'ended' | 'cancelled';
  /** Tokens whose keys and values the chips hold. */
  computedTokens: number;
  /** Empty unless it runs. */
  readonly table: BlockTable;
  /** Prompt tokens, from its beginning, whose log-probabilities are told where they are asked for. */
  toldPromptTokens: number;
  /** Prompt tokens found in the prefix cache at the first admission. */
  cachedTokens: number;
  preemptions: number;
  readonly times: RequestTimes;
  /** When it gained the token before its last one; undefined before its second. */
  previousTokenMicros: number | undefined;
  /** Its moments on the clock of the modelled chips, which keeps them here; undefined without one. */
  deviceTimes: RequestTimes | undefined;
}

/** A sample of a request before its first step, with the tokens that another engine has drawn. */
export function createSequence(options: {
  readonly id: number;
  readonly request: GenerationRequest;
  readonly choice: number;
  readonly generated: readonly number[];
  readonly nowMicros: number;
  readonly options: SchedulerOptions;
}): Sequence {
  const { id, request, choice, generated, nowMicros } = options;
  const { stopTokenIds, maxModelLen } = options.options;
  return {
    id,
    request,
    choice,
    stopTokenIds: stopTokenIdsOf(request, stopTokenIds),
    maskedTokenIds: [...stopTokenIds, ...request.stopTokenIds],
    tokens: generated.length === 0 ? request.promptTokens : [...request.promptTokens, ...generated],
    resumedTokens: generated.length,
    tokenLimit: tokenLimitOf(request, maxModelLen),
    state: 'waiting',
    computedTokens: 0,
    // The first token follows nothing.
    toldPromptTokens: 1,
    table: emptyBlockTable(request.cacheSalt),
    cachedTokens: 0,
    preemptions: 0,
    times: {
      arrivalMicros: nowMicros,
      admittedMicros: undefined,
      firstTokenMicros: undefined,
      lastTokenMicros: undefined,
    },
    previousTokenMicros: undefined,
    deviceTimes: undefined,
  };
}

/** Most tokens that a sample of a request may have, prompt and generated ones together. */
export function tokenLimitOf(request: GenerationRequest, maxModelLen: number): number {
  return Math.min(request.promptTokens.length + request.maxTokens, maxModelLen);
}

/** Ids that end a sample of a request to a model with stop tokens of its own. */
export function stopTokenIdsOf(
  { ignoreEos, stopTokenIds }: Pick<GenerationRequest, 'ignoreEos' | 'stopTokenIds'>,
  eosTokenIds: readonly number[],
): readonly number[] {
  return ignoreEos ? stopTokenIds : [...eosTokenIds, ...stopTokenIds];
}

/** Why a sample ends with a generated token, the `count`-th one; undefined where it goes on. */
export function finishReasonAfter(
  { request, stopTokenIds, tokenLimit }: Pick<Sequence, 'request' | 'stopTokenIds' | 'tokenLimit'>,
  token: number,
  count: number,
): FinishReason | undefined {
  // A constraint lets none be drawn before unless there is nothing else left to say.
  const mayStop = count > request.minTokens || request.constraint !== undefined;
  if (mayStop && stopTokenIds.includes(token)) return 'stop';
  return request.promptTokens.length + count >= tokenLimit ? 'length' : undefined;
}

/** Tokens that are not computed yet. */
export function pendingTokens(sequence: Sequence): number {
  return sequence.tokens.length - sequence.computedTokens;
}

/** Gives a sequence its next token. */
export function appendToken(sequence: Sequence, token: number, nowMicros: number): void {
  const { times } = sequence;
  // No copy earlier: those that wait, and the samples of a request, share the list of its prompt.
  if (times.firstTokenMicros === undefined) sequence.tokens = [...sequence.tokens, token];
  else (sequence.tokens as number[]).push(token);
  sequence.previousTokenMicros = times.lastTokenMicros;
  times.firstTokenMicros ??= nowMicros;
  times.lastTokenMicros = nowMicros;
}

/** Generated tokens so far. */
export function completionTokens(sequence: Sequence): number {
  return sequence.tokens.length - sequence.request.promptTokens.length;
}
