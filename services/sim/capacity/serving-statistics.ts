import { Distribution } from './distribution.ts';
import {
  GOAL_LATENCIES,
  type GoalLatency,
  type Latency,
  type LatencyGoals,
} from './latency-goals.ts';

const MICROS_PER_MS = 1000;
const MICROS_PER_SECOND = 1e6;

/** A request that was answered to its end. */
export interface ServedRequest {
  readonly inputTokens: number;
  /** At least one. */
  readonly outputTokens: number;
  /** From its arrival to its first token. */
  readonly ttftMicros: number;
  /** From its arrival to its last token. */
  readonly e2elMicros: number;
}

/**
 * What became of the requests of a load, on whatever clock, with the definitions of
 * `vllm bench serve` and in bounded memory.
 */
export class ServingStatistics {
  readonly latencies: Readonly<Record<Latency, Distribution>> = {
    ttft: new Distribution(),
    tpot: new Distribution(),
    itl: new Distribution(),
    e2el: new Distribution(),
  };
  completed = 0;
  /** Completed within the goals. */
  good = 0;
  inputTokens = 0;
  outputTokens = 0;
  mostOutputTokensPerSecond = 0;
  readonly #goals: LatencyGoals;
  /** The second that `#secondTokens` were drawn in. */
  #second = 0;
  #secondTokens = 0;

  constructor(goals: LatencyGoals) {
    this.#goals = goals;
  }

  addRequest({ inputTokens, outputTokens, ttftMicros, e2elMicros }: ServedRequest): void {
    const tpot = outputTokens > 1 ? (e2elMicros - ttftMicros) / (outputTokens - 1) : 0;
    this.completed++;
    this.inputTokens += inputTokens;
    this.outputTokens += outputTokens;
    this.latencies.ttft.add(ttftMicros);
    this.latencies.e2el.add(e2elMicros);
    if (outputTokens > 1) this.latencies.tpot.add(tpot);
    if (this.#meetsGoals({ ttft: ttftMicros, tpot, e2el: e2elMicros })) this.good++;
  }

  /** Takes `times` equal gaps between two tokens of a request. */
  addGaps(micros: number, times = 1): void {
    this.latencies.itl.add(micros, times);
  }

  /** Takes tokens that came at a moment, which is never before the last one. */
  countTokens(tokens: number, nowMicros: number): void {
    const second = Math.floor(nowMicros / MICROS_PER_SECOND);
    if (second !== this.#second) this.#secondTokens = 0;
    this.#second = second;
    this.#secondTokens += tokens;
    this.mostOutputTokensPerSecond = Math.max(this.mostOutputTokensPerSecond, this.#secondTokens);
  }

  #meetsGoals(request: Readonly<Record<GoalLatency, number>>): boolean {
    return GOAL_LATENCIES.every(
      (latency) =>
        request[latency] <= (this.#goals[latency] ?? Number.POSITIVE_INFINITY) * MICROS_PER_MS,
    );
  }
}
