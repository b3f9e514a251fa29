import type {
  CompleteEvent,
  DrawLogprobs,
  FinishReason,
  PromptLogprobs,
  TokensEvent,
} from '../client/index.ts';
import type { UsageJson } from './usage-tally.ts';

/** One sample of an answer that is sent whole. */
export interface AnswerChoice {
  readonly index: number;
  readonly text: string;
  readonly tokenIds: readonly number[];
  /** One for each token; empty where nobody asked. */
  readonly logprobs: readonly DrawLogprobs[];
  /** One for each token of its prompt but the first; empty where nobody asked. */
  readonly promptLogprobs: readonly PromptLogprobs[];
  readonly finishReason: FinishReason;
  readonly stopReason: string | number | undefined;
}

/** How one API writes its answers. */
export interface AnswerFormat {
  /** The body of an answer that is sent whole. */
  whole(choices: readonly AnswerChoice[], usage: UsageJson): object;
  /** A writer for one stream. */
  chunks(): ChunkWriter;
}

/** A prompt whose first token is there. */
export interface BegunPrompt {
  /** Its place in the plan. */
  readonly index: number;
  readonly logprobs: readonly PromptLogprobs[];
}

/** How a choice ends, and its last tokens where they were not written yet. */
export interface ChoiceEnd {
  readonly event: CompleteEvent;
  readonly tokens: TokensEvent | undefined;
}

/** Writes the chunks of one stream, each a whole frame; `usage` is for every chunk or for none. */
export interface ChunkWriter {
  /** What comes before the first token of a prompt's choices. */
  begin(prompt: BegunPrompt, usage: UsageJson | undefined): string;
  tokens(index: number, event: TokensEvent, usage: UsageJson | undefined): string;
  /** The end of a choice, together with its last tokens where they came as such. */
  complete(index: number, end: ChoiceEnd, usage: UsageJson | undefined): string;
  /** The chunk without choices at the end. */
  usage(usage: UsageJson): string;
}
