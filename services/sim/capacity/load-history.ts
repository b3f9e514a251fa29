import type { PlacedStep } from './simulate-capacity.ts';

/** What the replicas did in one interval; means over it, idle time included. */
export interface LoadPoint {
  readonly endSeconds: number;
  /** Requests of all replicas. */
  readonly running: number;
  readonly waiting: number;
  /** Share of all KV blocks. */
  readonly kvUsage: number;
  readonly inputTokensPerSecond: number;
  readonly outputTokensPerSecond: number;
  readonly mfu: number;
  readonly hbmUtilization: number;
  readonly linkUtilization: number;
}

type Quantity = Exclude<keyof LoadPoint, 'endSeconds'>;

const QUANTITIES: readonly Quantity[] = [
  'running',
  'waiting',
  'kvUsage',
  'inputTokensPerSecond',
  'outputTokensPerSecond',
  'mfu',
  'hbmUtilization',
  'linkUtilization',
];
const MICROS_PER_SECOND = 1e6;
/** Even, for two become one where a run is longer than they are together. */
const MOST_INTERVALS = 128;
const FIRST_INTERVAL_MICROS = 1000;

/** Follows a simulation step by step, in bounded memory: at most so many intervals of equal length. */
export class LoadHistory {
  /** Integrals over each interval, in microseconds times the quantity. */
  readonly #sums = new Map(QUANTITIES.map((name) => [name, new Float64Array(MOST_INTERVALS)]));
  readonly #replicas: number;
  readonly #kvBlocks: number;
  #intervalMicros = FIRST_INTERVAL_MICROS;
  #endMicros = 0;

  /** `kvBlocks` are of one replica. */
  constructor(options: { readonly replicas: number; readonly kvBlocks: number }) {
    this.#replicas = options.replicas;
    this.#kvBlocks = options.kvBlocks;
  }

  /** Takes a step as it begins. */
  add({ lane, shape, price, beganMicros, endMicros }: PlacedStep): void {
    this.#reach(endMicros);
    const { scheduler } = lane;
    const span = { from: beganMicros, to: endMicros };
    const perSecond = MICROS_PER_SECOND / (endMicros - beganMicros);
    this.#spread('running', scheduler.runningCount, span);
    this.#spread('waiting', scheduler.waitingCount, span);
    this.#spread('kvUsage', scheduler.usedBlocks / (this.#kvBlocks * this.#replicas), span);
    this.#spread('inputTokensPerSecond', shape.prefillTokens * perSecond, span);
    this.#spread('outputTokensPerSecond', shape.sampledRows * perSecond, span);
    // Of what a step uses its stages share the time with those of other batches.
    const own = { from: beganMicros, to: beganMicros + price.intervalSeconds * MICROS_PER_SECOND };
    this.#spread('mfu', price.mfu / this.#replicas, own);
    this.#spread('hbmUtilization', price.hbmUtilization / this.#replicas, own);
    this.#spread('linkUtilization', price.linkUtilization / this.#replicas, own);
  }

  /** From the first interval to the last in which a step ran; the last one may be shorter. */
  points(): readonly LoadPoint[] {
    const count = Math.ceil(this.#endMicros / this.#intervalMicros);
    return Array.from({ length: count }, (_, index) => {
      const begin = index * this.#intervalMicros;
      const end = Math.min(begin + this.#intervalMicros, this.#endMicros);
      const means = [...this.#sums].map(([name, sums]) => [name, sums[index]! / (end - begin)]);
      return { endSeconds: end / MICROS_PER_SECOND, ...Object.fromEntries(means) } as LoadPoint;
    });
  }

  /** Makes the intervals long enough. */
  #reach(micros: number): void {
    this.#endMicros = Math.max(this.#endMicros, micros);
    while (this.#endMicros > MOST_INTERVALS * this.#intervalMicros) {
      for (const sums of this.#sums.values()) halve(sums);
      this.#intervalMicros *= 2;
    }
  }

  #spread(name: Quantity, value: number, span: { readonly from: number; readonly to: number }) {
    const sums = this.#sums.get(name)!;
    const width = this.#intervalMicros;
    for (let index = Math.floor(span.from / width); index * width < span.to; index++) {
      const from = Math.max(span.from, index * width);
      const to = Math.min(span.to, (index + 1) * width);
      sums[index] = sums[index]! + value * (to - from);
    }
  }
}

/** Adds up neighbours in the first half. */
function halve(sums: Float64Array): void {
  for (let index = 0; index < sums.length / 2; index++) {
    sums[index] = sums[2 * index]! + sums[2 * index + 1]!;
  }
  sums.fill(0, sums.length / 2);
}
