import type { SamplingParams } from '../core/sampling/params.ts';

/** What to continue: text that the server tokenizes, or token ids that it uses as given. */
export type Prompt =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokenIds: readonly number[] };

/**
 * How tokens are drawn and when to stop, before the server has filled in what the request leaves to
 * it.
 */
export interface RequestSampling extends Omit<SamplingParams, 'seed'> {
  /** Undefined means what the context length leaves. */
  readonly maxTokens: number | undefined;
  /** Unsigned 32-bit integer; undefined means that the server chooses one. */
  readonly seed: number | undefined;
  /** Whether to go on past an end-of-text token. */
  readonly ignoreEos: boolean;
}

export interface GenerateInput {
  readonly requestId: string;
  readonly prompt: Prompt;
  readonly sampling: RequestSampling;
}

export type FinishReason = 'stop' | 'length' | 'abort';

/** Counts of tokens. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Prompt tokens whose keys and values came from the prefix cache. */
  readonly cachedTokens: number;
}

/** Host time; e2e = queue + inference, inference = prefill + decode. */
export interface Timings {
  readonly queueMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly e2eMs: number;
}

/** The first event of every generation. */
export interface AcceptedEvent {
  readonly kind: 'accepted';
  readonly requestId: string;
  /** Length of the prompt. */
  readonly promptTokens: number;
  /** The seed of the draws, given or chosen. */
  readonly seed: number;
}

/** Newly drawn tokens and the text that they complete. */
export interface TokensEvent {
  readonly kind: 'tokens';
  readonly tokenIds: readonly number[];
  readonly text: string;
  /** Position of the first of them among the generated tokens, dense from 0. */
  readonly firstTokenIndex: number;
}

/** The last event of every generation. */
export interface CompleteEvent {
  readonly kind: 'complete';
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  readonly timings: Timings;
}

export type GenerateEvent = AcceptedEvent | TokensEvent | CompleteEvent;

/** One emulated chip; counters count from its start. */
export interface ChipInfo {
  readonly rank: number;
  readonly pid: number;
  readonly weightBytes: number;
  readonly hbmBytesUsed: number;
  readonly hbmBytesTotal: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly computeMs: number;
  readonly communicationMs: number;
  readonly steps: number;
  /** `host:port`, or empty where the chip serves no metrics. */
  readonly metricsAddress: string;
}

export interface ServerInfo {
  readonly modelName: string;
  readonly precision: string;
  readonly tensorParallelSize: number;
  readonly serverType: string;
  readonly version: string;
  readonly maxContextLength: number;
  readonly vocabSize: number;
  readonly eosTokenIds: readonly number[];
  readonly kvBlocks: number;
  readonly maxNumSeqs: number;
  readonly chips: readonly ChipInfo[];
}
