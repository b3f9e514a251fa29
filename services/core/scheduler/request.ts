import type { SamplingParams } from '../sampling/params.ts';

/** Why a generation ended by itself: a stop token, or its length. */
export type FinishReason = 'stop' | 'length';

/** What a client asks for, as token ids. */
export interface GenerationRequest {
  readonly requestId: string;
  readonly promptTokens: readonly number[];
  /** Tokens to generate at the most. */
  readonly maxTokens: number;
  readonly sampling: SamplingParams;
  /** Whether stop tokens are generated through. */
  readonly ignoreEos: boolean;
}

/** Moments of a request in microseconds of the scheduler's clock. */
export interface RequestTimes {
  readonly arrivalMicros: number;
  /** First step that computed any of it. */
  admittedMicros: number | undefined;
  firstTokenMicros: number | undefined;
  lastTokenMicros: number | undefined;
}

/** A request inside the scheduler. */
export interface Sequence {
  /** Number that the chips know it by; never reused. */
  readonly id: number;
  readonly request: GenerationRequest;
  /** Prompt and generated tokens. */
  readonly tokens: number[];
  /** Most tokens that the sequence may ever have. */
  readonly tokenLimit: number;
  /** Tokens whose keys and values the chips hold. */
  computedTokens: number;
  blocks: readonly number[];
  readonly times: RequestTimes;
}

/** Generated tokens so far. */
export function completionTokens(sequence: Sequence): number {
  return sequence.tokens.length - sequence.request.promptTokens.length;
}
