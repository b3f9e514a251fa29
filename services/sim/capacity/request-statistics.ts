import type { Sequence } from '../../core/scheduler/request.ts';
import { completionTokens } from '../../core/scheduler/request.ts';
import type { ScheduledSequence } from '../../core/scheduler/step-builder.ts';
import { Distribution } from './distribution.ts';
import {
  GOAL_LATENCIES,
  type GoalLatency,
  type Latency,
  type LatencyGoals,
} from './latency-goals.ts';

const MICROS_PER_MS = 1000;
const MICROS_PER_SECOND = 1e6;

/** What became of the requests, with the definitions of `vllm bench serve`, in bounded memory. */
export class RequestStatistics {
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
  /** Parts of sequences that steps computed. */
  sequenceSteps = 0;
  mostOutputTokensPerSecond = 0;
  readonly #goals: LatencyGoals;
  /** The second that `#secondTokens` were drawn in. */
  #second = 0;
  #secondTokens = 0;

  constructor(goals: LatencyGoals) {
    this.#goals = goals;
  }

  /** Takes a step whose tokens come at `nowMicros`, before the scheduler hears of them. */
  addStep(sequences: readonly ScheduledSequence[], nowMicros: number): void {
    let tokens = 0;
    // Most gaps of a step are equal, for its sequences were all in the one before.
    let gap = 0;
    let times = 0;
    for (const { sequence, sample } of sequences) {
      if (!sample) continue;
      tokens++;
      const { lastTokenMicros } = sequence.times;
      if (lastTokenMicros === undefined) continue;
      const own = nowMicros - lastTokenMicros;
      if (own !== gap && times > 0) {
        this.latencies.itl.add(gap, times);
        times = 0;
      }
      gap = own;
      times++;
    }
    if (times > 0) this.latencies.itl.add(gap, times);
    this.sequenceSteps += sequences.length;
    this.#countTokens(tokens, nowMicros);
  }

  /** Takes a sequence that has ended. */
  addRequest(sequence: Sequence): void {
    const { arrivalMicros, firstTokenMicros, lastTokenMicros } = sequence.times;
    const outputs = completionTokens(sequence);
    const ttft = firstTokenMicros! - arrivalMicros;
    const e2el = lastTokenMicros! - arrivalMicros;
    const tpot = outputs > 1 ? (e2el - ttft) / (outputs - 1) : 0;
    this.completed++;
    this.inputTokens += sequence.request.promptTokens.length;
    this.outputTokens += outputs;
    this.latencies.ttft.add(ttft);
    this.latencies.e2el.add(e2el);
    if (outputs > 1) this.latencies.tpot.add(tpot);
    if (this.#meetsGoals({ ttft, tpot, e2el })) this.good++;
  }

  #meetsGoals(request: Readonly<Record<GoalLatency, number>>): boolean {
    return GOAL_LATENCIES.every(
      (latency) =>
        request[latency] <= (this.#goals[latency] ?? Number.POSITIVE_INFINITY) * MICROS_PER_MS,
    );
  }

  #countTokens(tokens: number, nowMicros: number): void {
    const second = Math.floor(nowMicros / MICROS_PER_SECOND);
    if (second !== this.#second) this.#secondTokens = 0;
    this.#second = second;
    this.#secondTokens += tokens;
    this.mostOutputTokensPerSecond = Math.max(this.mostOutputTokensPerSecond, this.#secondTokens);
  }
}
