import { Histogram, type Registry } from 'prom-client';
import { LATENCY_BUCKETS_SECONDS } from './buckets.ts';

/** What clients wait for, in buckets fine enough for quantiles. */
export class LatencyMetrics {
  readonly timeToFirstToken: Histogram;
  readonly interTokenLatency: Histogram;
  readonly endToEnd: Histogram;

  constructor(registry: Registry) {
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, buckets: LATENCY_BUCKETS_SECONDS, registers: [registry] });
    this.timeToFirstToken = histogram(
      'sohu_time_to_first_token_seconds',
      'Host time from the arrival of a request to the first token of a sample.',
    );
    this.interTokenLatency = histogram(
      'sohu_inter_token_latency_seconds',
      'Host time between two tokens of a sample.',
    );
    this.endToEnd = histogram(
      'sohu_e2e_latency_seconds',
      'Host time from the arrival of a request to the end of a sample.',
    );
  }
}
