import type { ServingStatistics } from '../../sim/capacity/serving-statistics.ts';
import { LoadError, type LoadEvent } from './load-target.ts';

/** Measures one request on its way. */
export class RequestWatch {
  readonly #statistics: ServingStatistics;
  readonly #sentMicros: number;
  #firstMicros: number | undefined;
  #lastMicros = 0;
  #tokens = 0;
  #usage: Extract<LoadEvent, { kind: 'usage' }> | undefined;

  constructor(statistics: ServingStatistics, sentMicros: number) {
    this.#statistics = statistics;
    this.#sentMicros = sentMicros;
  }

  /** Takes what arrived at a moment. */
  take(event: LoadEvent, nowMicros: number): void {
    if (event.kind === 'usage') this.#usage = event;
    else this.#takeTokens(event.count, nowMicros);
  }

  /** The answer is whole; where the server does not count, the prompt has `inputTokens`. */
  complete(inputTokens: number): void {
    const first = this.#firstMicros;
    if (first === undefined) throw new LoadError('empty', 'the answer has no token');
    this.#statistics.addRequest({
      inputTokens: this.#usage?.inputTokens ?? inputTokens,
      outputTokens: this.#usage?.outputTokens ?? this.#tokens,
      ttftMicros: first - this.#sentMicros,
      e2elMicros: this.#lastMicros - this.#sentMicros,
    });
  }

  #takeTokens(count: number, nowMicros: number): void {
    if (this.#firstMicros === undefined) this.#firstMicros = nowMicros;
    else this.#statistics.addGaps(nowMicros - this.#lastMicros);
    this.#lastMicros = nowMicros;
    this.#tokens += count;
    this.#statistics.countTokens(count, nowMicros);
  }
}
