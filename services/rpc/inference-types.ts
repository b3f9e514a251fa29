import type { Constraint } from '../core/grammar/constraint.ts';
import type { KvEvent } from '../core/kv/kv-events.ts';
import type { DrawLogprobs, PromptLogprobs } from '../core/sampling/drawn-token.ts';
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
  /** Generated tokens before which nothing but `maxTokens` ends a sample. */
  readonly minTokens: number;
  /** Unsigned 32-bit integer; undefined means that the server chooses one. */
  readonly seed: number | undefined;
  /** Whether to go on past an end-of-text token. */
  readonly ignoreEos: boolean;
  /** Texts that end a sample. */
  readonly stop: readonly string[];
  /** Ids that end a sample beside the model's own. */
  readonly stopTokenIds: readonly number[];
  /** Whether the text that ended a sample is part of it. */
  readonly includeStopStrInOutput: boolean;
  /** What the text of every sample must be; undefined where it may be any. */
  readonly constraint: Constraint | undefined;
  /** Samples of the same prompt: they share the seed and draw differently. */
  readonly n: number;
}

export interface GenerateInput {
  readonly requestId: string;
  readonly prompt: Prompt;
  readonly sampling: RequestSampling;
  /** Smaller comes first, where the server schedules by priority. */
  readonly priority: number;
  /** The prompt shares cached prefixes only with prompts of the same salt. */
  readonly cacheSalt: string;
  /** Whom the request is served for, where the server is fair between clients. */
  readonly clientId: string;
  /** What has arrived of the answer, where it goes on behind that; absent where it begins. */
  readonly resumption?: Resumption | undefined;
}

/** What a client has of an answer that broke off. */
export interface Resumption {
  /** One for each sample, by index. */
  readonly samples: readonly SampleResumption[];
  /** Prompt tokens whose log-probabilities arrived. */
  readonly promptLogprobs: number;
}

export interface SampleResumption {
  /** All that arrived, from the sample's first on; of no matter where it is complete. */
  readonly tokenIds: readonly number[];
  /** Whether nothing more is to come. */
  readonly isComplete: boolean;
}

export type FinishReason = 'stop' | 'length' | 'abort';

/** Counts of tokens. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Prompt tokens whose keys and values came from the prefix cache. */
  readonly cachedTokens: number;
}

/** Time on one clock; e2e = queue + inference, inference = prefill + decode. */
export interface Timings {
  /** From arrival to the most recent start of computation before the first token. */
  readonly queueMs: number;
  /** From there to the first token. */
  readonly prefillMs: number;
  /** From the first token to the last. */
  readonly decodeMs: number;
  readonly inferenceMs: number;
  /** From arrival to the last token. */
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
  /**
   * What tokens depend on beside the request: the model, the precision of its arithmetic and that of
   * its keys and values; absent where the server does not say.
   */
  readonly model?: string;
}

/**
 * Log-probabilities of tokens of the prompt, where the request asks for them: once for all of its
 * samples, and complete before the first of their tokens.
 */
export interface PromptLogprobsEvent {
  readonly kind: 'promptLogprobs';
  /** Position of the first of them in the prompt, dense from 1: the first token follows nothing. */
  readonly firstTokenIndex: number;
  readonly logprobs: readonly PromptLogprobs[];
}

/** Newly drawn tokens of one sample, and the text that they make certain. */
export interface TokensEvent {
  readonly kind: 'tokens';
  /** The sample, from 0. */
  readonly index: number;
  readonly tokenIds: readonly number[];
  readonly text: string;
  /** Position of the first of them among the sample's generated tokens. */
  readonly firstTokenIndex: number;
  /** Whether the sample's `complete` comes next, so that both may be shown as one. */
  readonly isLast: boolean;
  /** One for each of the tokens; empty where nobody asked for them. */
  readonly logprobs: readonly DrawLogprobs[];
}

/** The last event of one sample. */
export interface CompleteEvent {
  readonly kind: 'complete';
  /** The sample, from 0. */
  readonly index: number;
  readonly finishReason: FinishReason;
  /**
   * The stop string, or the one of the request's stop token ids, that ended the sample; undefined
   * where something else did.
   */
  readonly stopReason: string | number | undefined;
  readonly usage: Usage;
  /** Host time. */
  readonly timings: Timings;
  /** Device time: what the modelled chips would have taken. Absent where it is not modelled. */
  readonly deviceTimings?: Timings;
  /** Times that the sample lost its keys and values to others and was computed again. */
  readonly preemptions: number;
}

export type GenerateEvent = AcceptedEvent | PromptLogprobsEvent | TokensEvent | CompleteEvent;

/** Token ids to turn into text. */
export interface DetokenizeInput {
  readonly tokenIds: readonly number[];
  /** The token before them; undefined where they begin a text. */
  readonly previousTokenId: number | undefined;
}

/** What one moment did to the prefix cache. */
export interface KvEventBatch {
  /** Counts the batches since the server's start, dense from 0. */
  readonly sequenceNumber: number;
  /** Host time since 1970. */
  readonly timestampMs: number;
  /** Hashes are 16 hexadecimal digits. */
  readonly events: readonly KvEvent<string>[];
}

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
  /** What the chips hold: weights, or nothing at all. */
  readonly weights: 'checkpoint' | 'phantom';
  /** The chip that is modelled. */
  readonly chip: string;
  /** The software version whose overheads device time has. */
  readonly software: string;
  /** Device seconds in a second at the most; 0 is no bound. */
  readonly speed: number;
  readonly chips: readonly ChipInfo[];
}
