import type { DrawnToken } from '../../core/sampling/drawn-token.ts';
import {
  completionTokens,
  type FinishReason,
  type RequestTimes,
  type Sequence,
} from '../../core/scheduler/request.ts';
import type { CompleteEvent, Timings, TokensEvent } from '../../rpc/inference-types.ts';
import type { SampleText } from './sample-text.ts';

/** A token that a sample gained. */
export interface TakenToken {
  readonly drawn: DrawnToken;
  readonly finishReason: FinishReason | undefined;
  /** Moments of the sample in device time so far; undefined where that is not modelled. */
  readonly deviceTimes: Readonly<RequestTimes> | undefined;
}

/** One sample of a request on its way to a client: turns its drawn tokens into events. */
export class SampleStream {
  readonly #sequence: Sequence;
  readonly #text: SampleText;

  /** `text` is that of the sequence's tokens so far. */
  constructor(sequence: Sequence, text: SampleText) {
    this.#sequence = sequence;
    this.#text = text;
  }

  /** The events of a token; nothing may follow `complete`, which a stop string may bring early. */
  take({
    drawn: { token, logprobs },
    finishReason,
    deviceTimes,
  }: TakenToken): readonly (TokensEvent | CompleteEvent)[] {
    const index = this.#sequence.choice;
    const { text, end } = this.#text.take(token, finishReason);
    const tokens: TokensEvent = {
      kind: 'tokens',
      index,
      tokenIds: [token],
      text,
      firstTokenIndex: completionTokens(this.#sequence) - 1,
      isLast: end !== undefined,
      logprobs: logprobs === undefined ? [] : [logprobs],
    };
    if (end === undefined) return [tokens];
    const complete = this.#complete(end.finishReason, end.stopReason);
    if (deviceTimes === undefined) return [tokens, complete];
    return [tokens, { ...complete, deviceTimings: timingsOf(deviceTimes) }];
  }

  /** The events of an end before any other: the text that was held back, and `complete`. */
  abort(): readonly (TokensEvent | CompleteEvent)[] {
    const text = this.#text.flush();
    const complete = this.#complete('abort', undefined);
    if (text === '') return [complete];
    const index = this.#sequence.choice;
    const firstTokenIndex = completionTokens(this.#sequence);
    const place = { index, firstTokenIndex, isLast: true };
    return [{ kind: 'tokens', ...place, tokenIds: [], text, logprobs: [] }, complete];
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
