import { Counter, Histogram, type Registry } from 'prom-client';
import type { ExchangeTimes } from '../../cluster/step-times.ts';
import { EXCHANGE_ALGORITHMS, EXCHANGE_KINDS } from '../../core/collectives/frame.ts';
import { STEP_BUCKETS_SECONDS } from './buckets.ts';

/** The series of one operation that is carried out by one algorithm. */
interface Children {
  readonly seconds: Histogram.Internal<string>;
  readonly skewSeconds: Histogram.Internal<string>;
  readonly bytes: Counter.Internal;
}

/** A chip's exchanges, by what they are for and how they go about it. */
export class ExchangeMetrics {
  readonly #children: Readonly<Record<string, Readonly<Record<string, Children>>>>;

  constructor(registry: Registry) {
    const common = { labelNames: ['operation', 'algorithm'], registers: [registry] };
    const seconds = new Histogram({
      name: 'sohu_collective_seconds',
      help: 'Host time of an exchange on the chip, waiting for the others included.',
      buckets: STEP_BUCKETS_SECONDS,
      ...common,
    });
    const skewSeconds = new Histogram({
      name: 'sohu_collective_skew_seconds',
      help: 'Host time between the first and the last frame that an exchange waited for.',
      buckets: STEP_BUCKETS_SECONDS,
      ...common,
    });
    const bytes = new Counter({
      name: 'sohu_collective_bytes_total',
      help: 'Payload that the chip sent in exchanges.',
      ...common,
    });
    const childOf = (operation: string, algorithm: string): Children => ({
      seconds: seconds.labels({ operation, algorithm }),
      skewSeconds: skewSeconds.labels({ operation, algorithm }),
      bytes: bytes.labels({ operation, algorithm }),
    });
    this.#children = Object.fromEntries(
      EXCHANGE_KINDS.map((operation) => [
        operation,
        Object.fromEntries(
          EXCHANGE_ALGORITHMS.map((algorithm) => [algorithm, childOf(operation, algorithm)]),
        ),
      ]),
    );
  }

  observe(times: ExchangeTimes): void {
    const { seconds, skewSeconds, bytes } = this.#children[times.operation]![times.algorithm]!;
    seconds.observe((times.endedMicros - times.beganMicros) / 1e6);
    skewSeconds.observe(times.skewMicros / 1e6);
    bytes.inc(times.bytesSent);
  }
}
