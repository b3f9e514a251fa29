import type { FinishReason, GenerationRequest } from '../../core/scheduler/request.ts';
import { StopStrings } from '../../core/text/stop-strings.ts';
import { TextStream } from '../../core/text/text-stream.ts';
import type { Tokenizer } from '../../core/text/tokenizer.ts';

/** How the samples of a request become text. */
export interface SampleOptions {
  readonly tokenizer: Tokenizer;
  /** The model's own stop tokens. */
  readonly eosTokenIds: readonly number[];
  readonly stop: readonly string[];
  readonly includeStopStrInOutput: boolean;
}

/** Why a sample is over. */
export interface SampleEnd {
  readonly finishReason: FinishReason;
  /** The stop string or stop token of the request that ended it, where one did. */
  readonly stopReason: string | number | undefined;
}

/** What one token makes of a sample. */
export interface Continuation {
  readonly text: string;
  /** Undefined while the sample goes on. */
  readonly end: SampleEnd | undefined;
}

/** The text of one sample; its state follows from the request and the tokens alone. */
export class SampleText {
  readonly #request: GenerationRequest;
  readonly #options: SampleOptions;
  readonly #text: TextStream;
  readonly #stops: StopStrings;

  constructor(request: GenerationRequest, options: SampleOptions) {
    const { promptTokens, minTokens } = request;
    const { stop: strings, includeStopStrInOutput: includeInOutput, tokenizer } = options;
    this.#request = request;
    this.#options = options;
    this.#text = new TextStream(tokenizer, promptTokens.at(-1));
    this.#stops = new StopStrings({ strings, minTokens, includeInOutput });
  }

  /** Takes the next token, and why it is the last one, if it is; a stop string may end it before. */
  take(token: number, finishReason: FinishReason | undefined): Continuation {
    if (finishReason === 'stop') return this.#stopAt(token);
    const { text, matched } = this.#stops.push(this.#text.push(token));
    if (matched !== undefined) return { text, end: { finishReason: 'stop', stopReason: matched } };
    if (finishReason === undefined) return { text, end: undefined };
    return { text: text + this.flush(), end: { finishReason, stopReason: undefined } };
  }

  /** Ends the text: what was held back is part of it. */
  flush(): string {
    return this.#stops.flush() + this.#text.flush();
  }

  /** A stop token counts as generated; its text is output only where the request wants it. */
  #stopAt(token: number): Continuation {
    const { includeStopStrInOutput, eosTokenIds } = this.#options;
    const { ignoreEos, stopTokenIds } = this.#request;
    const added = includeStopStrInOutput ? this.#text.push(token) : '';
    const isEos = !ignoreEos && eosTokenIds.includes(token);
    const stopReason = !isEos && stopTokenIds.includes(token) ? token : undefined;
    const text = this.#stops.flush() + added + this.#text.flush();
    return { text, end: { finishReason: 'stop', stopReason } };
  }
}
