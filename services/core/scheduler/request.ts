import type { SamplingParams } from '../sampling/params.ts';

/** Why a generation ended by itself: a stop token, or its length. */
export type FinishReason = 'stop' | 'length';

/** What a client asks for, as token ids. */
export interface GenerationRequest {
  readonly requestId: string;
  readonly promptTokens: readonly number[];
  /** Tokens to generate at the most. */
  readonly maxTokens: number;
  /** Generated tokens before which no stop token is drawn. */
  readonly minTokens: number;
  /** Ids that end the generation beside the model's own. */
  readonly stopTokenIds: readonly number[];
  /** Whether the model's own stop tokens are generated through. */
  readonly ignoreEos: boolean;
  readonly sampling: SamplingParams;
  /** Parallel samples of the same prompt. */
  readonly n: number;
  /** Smaller comes first, where the policy goes by it. */
  readonly priority: number;
  /** Requests share prefixes only with those of the same salt. */
  readonly cacheSalt: string;
  /** Whom the request is served for, where the policy is fair between clients. */
  readonly clientId: string;
}

/** Moments of a request in microseconds of the scheduler's clock. */
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
  /** Prompt and generated tokens. */
  readonly tokens: number[];
  /** Most tokens that the sequence may ever have. */
  readonly tokenLimit: number;
  state: 'waiting' | 'running' | 'ended';
  /** Tokens whose keys and values the chips hold. */
  computedTokens: number;
  /** The block table; grows at its end only, while the sequence runs. */
  blocks: number[];
  /** Chained hashes of the full blocks of `tokens`, as far as they have been needed. */
  readonly blockHashes: string[];
  /** Prompt tokens found in the prefix cache at the first admission. */
  cachedTokens: number;
  preemptions: number;
  readonly times: RequestTimes;
}

/** Generated tokens so far. */
export function completionTokens(sequence: Sequence): number {
  return sequence.tokens.length - sequence.request.promptTokens.length;
}
