import type { Registry } from 'prom-client';
import { LATENCY_BUCKETS_SECONDS } from './buckets.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';
import { TOKEN_LATENCY_SECONDS } from './vllm-buckets.ts';

/**
 * Times between two tokens of a sample, in vLLM's buckets and in finer ones. Whoever gained a token in the
 * step before has the same gap as all others who did, so that gaps are counted in runs of equal ones.
 */
export class TokenGaps {
  readonly #histograms: readonly BucketCounts[];
  /** Of the run that has not been handed on. */
  #gapMicros = 0;
  #count = 0;

  constructor(registries: { readonly own: Registry; readonly vllm: Registry }) {
    const collect = (): void => this.#endRun();
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
    const seconds = this.#gapMicros / 1e6;
    for (const histogram of this.#histograms) histogram.observe(seconds, this.#count);
    this.#count = 0;
  }
}
