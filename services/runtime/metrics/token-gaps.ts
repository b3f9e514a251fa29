import type { Registry } from 'prom-client';
import { LATENCY_BUCKETS_SECONDS } from './buckets.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';
import { TOKEN_LATENCY_SECONDS } from './vllm-buckets.ts';

/** Runs that may wait to be counted, for the reason that `StepBacklog` gives. */
const MAX_RUNS = 64;

/**
 * Times between two tokens of a sample, in vLLM's buckets and in finer ones. Whoever gained a token in the
 * step before has the same gap as all others who did, so that gaps are counted in runs of equal ones.
 */
export class TokenGaps {
  readonly #histograms: readonly BucketCounts[];
  /** Runs that have ended and wait to be counted: gaps, and how many there were of each. */
  readonly #gapsMicros: number[] = [];
  readonly #counts: number[] = [];
  #gapMicros = 0;
  #count = 0;

  constructor(registries: { readonly own: Registry; readonly vllm: Registry }) {
    const collect = (): void => {
      this.#endRun();
      this.#catchUp();
    };
    this.#histograms = [
      new CountedHistogram(registries.own, {
        name: 'sohu_inter_token_latency_seconds',
        help: 'Host time between two tokens of a sample.',
        bounds: LATENCY_BUCKETS_SECONDS,
        collect,
      }).child(),
      new CountedHistogram(registries.vllm, {
        name: 'vllm:inter_token_latency_seconds',
        help: 'Inter-token latency in seconds.',
        bounds: TOKEN_LATENCY_SECONDS,
        collect,
      }).child(),
    ];
  }

  /** Takes host time between two tokens of a sample. */
  add(gapMicros: number): void {
    if (gapMicros !== this.#gapMicros) {
      this.#endRun();
      this.#gapMicros = gapMicros;
    }
    this.#count++;
  }

  #endRun(): void {
    this.#gapsMicros.push(this.#gapMicros);
    this.#counts.push(this.#count);
    this.#count = 0;
    if (this.#counts.length === MAX_RUNS) this.#catchUp();
  }

  #catchUp(): void {
    for (const histogram of this.#histograms) {
      for (const [run, count] of this.#counts.entries()) {
        histogram.observe(this.#gapsMicros[run]! / 1e6, count);
      }
    }
    this.#gapsMicros.length = 0;
    this.#counts.length = 0;
  }
}
