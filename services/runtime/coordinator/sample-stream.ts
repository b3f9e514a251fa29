import type { DrawnToken } from '../../core/sampling/drawn-token.ts';
import {
  completionTokens,
  type FinishReason,
  type RequestTimes,
  type Sequence,
} from '../../core/scheduler/request.ts';
import { StopStrings } from '../../core/text/stop-strings.ts';
import { TextStream } from '../../core/text/text-stream.ts';
import type { Tokenizer } from '../../core/text/tokenizer.ts';
import type { CompleteEvent, Timings, TokensEvent } from '../../rpc/inference-types.ts';

/** How the samples of a request become text. */
export interface SampleOptions {
  readonly tokenizer: Tokenizer;
  /** The model's own stop tokens. */
  readonly eosTokenIds: readonly number[];
  readonly stop: readonly string[];
  readonly includeStopStrInOutput: boolean;
}

/** A token that a sample gained. */
export interface TakenToken {
  readonly drawn: DrawnToken;
  readonly finishReason: FinishReason | undefined;
  /** Moments of the sample in device time so far; undefined where that is not modelled. */
  readonly deviceTimes: Readonly<RequestTimes> | undefined;
}

/** What one token makes of a sample. */
interface Continuation {
  readonly text: string;
  /** Undefined while the sample goes on. */
  readonly finishReason: FinishReason | undefined;
  readonly stopReason: string | number | undefined;
}

/** One sample of a request on its way to a client: turns its drawn tokens into events. */
export class SampleStream {
  readonly #sequence: Sequence;
  readonly #options: SampleOptions;
  readonly #text: TextStream;
  readonly #stops: StopStrings;

  constructor(sequence: Sequence, options: SampleOptions) {
    const { promptTokens, minTokens } = sequence.request;
    const { stop, includeStopStrInOutput } = options;
    this.#sequence = sequence;
    this.#options = options;
    this.#text = new TextStream(options.tokenizer, promptTokens.at(-1));
    this.#stops = new StopStrings({
      strings: stop,
      minTokens,
      includeInOutput: includeStopStrInOutput,
    });
  }

  /** The events of a token; nothing may follow `complete`, which a stop string may bring early. */
  take({
    drawn: { token, logprobs },
    finishReason,
    deviceTimes,
  }: TakenToken): readonly (TokensEvent | CompleteEvent)[] {
    const index = this.#sequence.choice;
    const { text, ...end } = this.#continue(token, finishReason);
    const tokens: TokensEvent = {
      kind: 'tokens',
      index,
      tokenIds: [token],
      text,
      firstTokenIndex: completionTokens(this.#sequence) - 1,
      isLast: end.finishReason !== undefined,
      logprobs: logprobs === undefined ? [] : [logprobs],
    };
    if (end.finishReason === undefined) return [tokens];
    const complete = this.#complete(end.finishReason, end.stopReason);
    if (deviceTimes === undefined) return [tokens, complete];
    return [tokens, { ...complete, deviceTimings: timingsOf(deviceTimes) }];
  }

  /** The events of an end before any other: the text that was held back, and `complete`. */
  abort(): readonly (TokensEvent | CompleteEvent)[] {
    const text = this.#stops.flush() + this.#text.flush();
    const complete = this.#complete('abort', undefined);
    if (text === '') return [complete];
    const index = this.#sequence.choice;
    const firstTokenIndex = completionTokens(this.#sequence);
    const place = { index, firstTokenIndex, isLast: true };
    return [{ kind: 'tokens', ...place, tokenIds: [], text, logprobs: [] }, complete];
  }

  #continue(token: number, finishReason: FinishReason | undefined): Continuation {
    if (finishReason === 'stop') return this.#stopAt(token);
    const { text, matched } = this.#stops.push(this.#text.push(token));
    if (matched !== undefined) return { text, finishReason: 'stop', stopReason: matched };
    const rest = finishReason === undefined ? '' : this.#stops.flush() + this.#text.flush();
    return { text: text + rest, finishReason, stopReason: undefined };
  }

  /** A stop token counts as generated; its text is output only where the request wants it. */
  #stopAt(token: number): Continuation {
    const { includeStopStrInOutput, eosTokenIds } = this.#options;
    const { ignoreEos, stopTokenIds } = this.#sequence.request;
    const added = includeStopStrInOutput ? this.#text.push(token) : '';
    const isEos = !ignoreEos && eosTokenIds.includes(token);
    const stopReason = !isEos && stopTokenIds.includes(token) ? token : undefined;
    const text = this.#stops.flush() + added + this.#text.flush();
    return { text, finishReason: 'stop', stopReason };
  }

  #complete(
    finishReason: CompleteEvent['finishReason'],
    stopReason: string | number | undefined,
  ): CompleteEvent {
    const { request, choice, cachedTokens, preemptions, times } = this.#sequence;
    return {
      kind: 'complete',
      index: choice,
      finishReason,
      stopReason,
      usage: {
        promptTokens: request.promptTokens.length,
        completionTokens: completionTokens(this.#sequence),
        cachedTokens,
      },
      timings: timingsOf(times),
      preemptions,
    };
  }
}

/** The intervals of a finished sample; a preemption after the first token lengthens decode. */
function timingsOf(times: Readonly<RequestTimes>): Timings {
  const { arrivalMicros } = times;
  const admitted = times.admittedMicros ?? arrivalMicros;
  const first = times.firstTokenMicros ?? admitted;
  const last = times.lastTokenMicros ?? first;
  const ms = (from: number, to: number): number => (to - from) / 1000;
  return {
    queueMs: ms(arrivalMicros, admitted),
    prefillMs: ms(admitted, first),
    decodeMs: ms(first, last),
    inferenceMs: ms(admitted, last),
    e2eMs: ms(arrivalMicros, last),
  };
}
