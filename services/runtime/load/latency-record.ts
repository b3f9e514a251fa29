import type { RequestTimes } from '../../core/scheduler/request.ts';
import { summarize } from '../../sim/capacity/capacity-report.ts';
import { Distribution } from '../../sim/capacity/distribution.ts';
import type { LoadLatencies } from './load-report.ts';

/** Collects the latencies of requests on one clock. */
export class LatencyRecord {
  readonly #ttft = new Distribution();
  readonly #tpot = new Distribution();
  readonly #e2el = new Distribution();

  /** Takes a request that has drawn its last token, of so many. */
  add({ arrivalMicros, firstTokenMicros, lastTokenMicros }: RequestTimes, tokens: number): void {
    const ttft = firstTokenMicros! - arrivalMicros;
    const e2el = lastTokenMicros! - arrivalMicros;
    this.#ttft.add(ttft);
    this.#e2el.add(e2el);
    if (tokens > 1) this.#tpot.add((e2el - ttft) / (tokens - 1));
  }

  get summary(): LoadLatencies {
    return {
      ttft: summarize(this.#ttft),
      tpot: summarize(this.#tpot),
      e2el: summarize(this.#e2el),
    };
  }
}
