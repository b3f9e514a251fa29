import type { Registry } from 'prom-client';
import type { ExchangeTimes } from '../../cluster/step-times.ts';
import { EXCHANGE_ALGORITHMS, EXCHANGE_KINDS } from '../../core/collectives/frame.ts';
import { STEP_BUCKETS_SECONDS } from './buckets.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';
import { registerReadCounter } from './read-counter.ts';

/** What there was of one operation that is carried out by one algorithm. */
interface Exchanges {
  readonly labels: { readonly operation: string; readonly algorithm: string };
  readonly seconds: BucketCounts;
  readonly skewSeconds: BucketCounts;
  bytes: number;
  count: number;
}

/** A chip's exchanges, by what they are for and how they go about it. */
export class ExchangeMetrics {
  readonly #exchanges: Readonly<Record<string, Readonly<Record<string, Exchanges>>>>;

  constructor(registry: Registry) {
    const seconds = new CountedHistogram(registry, {
      name: 'sohu_collective_seconds',
      help: 'Host time of an exchange on the chip, waiting for the others included.',
      bounds: STEP_BUCKETS_SECONDS,
    });
    const skewSeconds = new CountedHistogram(registry, {
      name: 'sohu_collective_skew_seconds',
      help: 'Host time between the first and the last frame that an exchange waited for.',
      bounds: STEP_BUCKETS_SECONDS,
    });
    const of = (operation: string, algorithm: string): Exchanges => {
      const labels = { operation, algorithm };
      const children = { seconds: seconds.child(labels), skewSeconds: skewSeconds.child(labels) };
      return { labels, ...children, bytes: 0, count: 0 };
    };
    this.#exchanges = Object.fromEntries(
      EXCHANGE_KINDS.map((operation) => [
        operation,
        Object.fromEntries(
          EXCHANGE_ALGORITHMS.map((algorithm) => [algorithm, of(operation, algorithm)]),
        ),
      ]),
    );
    this.#countBytes(registry);
  }

  observe(times: ExchangeTimes): void {
    const exchanges = this.#exchanges[times.operation]![times.algorithm]!;
    exchanges.seconds.observe((times.endedMicros - times.beganMicros) / 1e6);
    exchanges.skewSeconds.observe(times.skewMicros / 1e6);
    exchanges.bytes += times.bytesSent;
    exchanges.count++;
  }

  #countBytes(registry: Registry): void {
    const counter = {
      name: 'sohu_collective_bytes_total',
      help: 'Payload that the chip sent in exchanges.',
      labelNames: ['operation', 'algorithm'],
    };
    const all = Object.values(this.#exchanges).flatMap((each) => Object.values(each));
    registerReadCounter(registry, counter, (it) => {
      for (const { labels, bytes, count } of all) if (count > 0) it.inc(labels, bytes);
    });
  }
}
