import type { FinishReason, RequestTimes, Sequence } from '../../core/scheduler/request.ts';
import { completionTokens } from '../../core/scheduler/request.ts';
import { TextStream } from '../../core/text/text-stream.ts';
import type { Tokenizer } from '../../core/text/tokenizer.ts';
import type { GenerateEvent, Timings } from '../../rpc/inference-types.ts';
import { EventQueue } from '../support/event-queue.ts';

/** One request on its way to a client: turns drawn tokens into events. */
export class Generation {
  readonly events: EventQueue<GenerateEvent>;
  readonly #sequence: Sequence;
  readonly #stopTokenIds: readonly number[];
  readonly #text: TextStream;

  constructor(sequence: Sequence, tokenizer: Tokenizer, stopTokenIds: readonly number[]) {
    const { requestId, promptTokens, sampling } = sequence.request;
    this.#sequence = sequence;
    this.#stopTokenIds = stopTokenIds;
    this.#text = new TextStream(tokenizer, promptTokens.at(-1));
    this.events = new EventQueue(sequence.tokenLimit + 2);
    this.events.push({
      kind: 'accepted',
      requestId,
      promptTokens: promptTokens.length,
      seed: sampling.seed,
    });
  }

  /** A stop token counts as generated but adds no text. */
  take(token: number, finishReason: FinishReason | undefined): void {
    const added = this.#stopTokenIds.includes(token) ? '' : this.#text.push(token);
    const text = finishReason === undefined ? added : added + this.#text.flush();
    const firstTokenIndex = completionTokens(this.#sequence) - 1;
    this.events.push({ kind: 'tokens', tokenIds: [token], text, firstTokenIndex });
    if (finishReason === undefined) return;
    this.events.push({
      kind: 'complete',
      finishReason,
      usage: {
        promptTokens: this.#sequence.request.promptTokens.length,
        completionTokens: completionTokens(this.#sequence),
        cachedTokens: 0,
      },
      timings: timingsOf(this.#sequence.times),
    });
    this.events.end();
  }
}

/**
 * Intervals of a finished request: queue until the first step, prefill until the first token,
 * decode until the last.
 */
function timingsOf(times: RequestTimes): Timings {
  const { arrivalMicros } = times;
  const admitted = times.admittedMicros ?? arrivalMicros;
  const first = times.firstTokenMicros ?? admitted;
  const last = times.lastTokenMicros ?? first;
  const ms = (from: number, to: number): number => (to - from) / 1000;
  return {
    queueMs: ms(arrivalMicros, admitted),
    prefillMs: ms(admitted, first),
    decodeMs: ms(first, last),
    e2eMs: ms(arrivalMicros, last),
  };
}
