import type { Registry } from 'prom-client';
import { LATENCY_BUCKETS_SECONDS } from './buckets.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';

/** What clients wait for of a request as a whole, in buckets fine enough for quantiles. */
export class LatencyMetrics {
  readonly timeToFirstToken: BucketCounts;
  readonly endToEnd: BucketCounts;

  constructor(registry: Registry) {
    const histogram = (name: string, help: string): BucketCounts =>
      new CountedHistogram(registry, { name, help, bounds: LATENCY_BUCKETS_SECONDS }).child();
    this.timeToFirstToken = histogram(
      'sohu_time_to_first_token_seconds',
      'Host time from the arrival of a request to the first token of a sample.',
    );
    this.endToEnd = histogram(
      'sohu_e2e_latency_seconds',
      'Host time from the arrival of a request to the end of a sample.',
    );
  }
}
