import type { ExchangeAlgorithm } from '../core/collectives/frame.ts';
import type { ScheduledExchange } from '../core/collectives/schedule.ts';
import type { ExchangeTimes } from './step-times.ts';

/** Measures a chip's exchanges, of which one runs at a time. */
export class ExchangeTimer {
  readonly #nowMicros: () => number;
  readonly #ended: (times: ExchangeTimes) => void;
  #beganMicros = 0;
  #firstMicros = 0;
  #lastMicros = 0;
  #bytesSent = 0;

  constructor(nowMicros: () => number, ended: (times: ExchangeTimes) => void) {
    this.#nowMicros = nowMicros;
    this.#ended = ended;
  }

  began(): void {
    this.#beganMicros = this.#nowMicros();
    this.#firstMicros = 0;
    this.#lastMicros = 0;
    this.#bytesSent = 0;
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes;
  }

  /** A frame of a peer was used. */
  took(): void {
    this.#lastMicros = this.#nowMicros();
    if (this.#firstMicros === 0) this.#firstMicros = this.#lastMicros;
  }

  ended({ operation, layer }: ScheduledExchange, algorithm: ExchangeAlgorithm): void {
    this.#ended({
      operation,
      layer,
      algorithm,
      beganMicros: this.#beganMicros,
      endedMicros: this.#nowMicros(),
      skewMicros: this.#lastMicros - this.#firstMicros,
      bytesSent: this.#bytesSent,
    });
  }
}
