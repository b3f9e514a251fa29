import type { Histogram, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string | number>>;

/** A series as a registry shows it. */
interface Series {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface CountedHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending; what is above the last counts too. */
  readonly bounds: readonly number[];
  /** Called before somebody reads it. */
  readonly collect?: () => void;
}

/**
 * A histogram that costs next to nothing while nobody reads it, and takes many equal values at once. Those
 * of prom-client hash and check the labels of every single value, which takes longer than all else that is
 * done for a token.
 */
export class CountedHistogram {
  readonly name: string;
  readonly #options: CountedHistogramOptions;
  readonly #children: BucketCounts[] = [];

  constructor(registry: Registry, options: CountedHistogramOptions) {
    this.name = options.name;
    this.#options = options;
    // All that a registry reads of a metric is its name and `get`.
    registry.registerMetric(this as unknown as Histogram);
  }

  /** Adds the series with these labels; those that have some are shown once they have a value. */
  child(labels: Labels = {}): BucketCounts {
    const child = new BucketCounts(this.#options.bounds, labels);
    this.#children.push(child);
    return child;
  }

  /** What a registry shows. */
  async get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly values: readonly Series[];
  }> {
    const { name, help, collect } = this.#options;
    collect?.();
    const values = this.#children.flatMap((child) => child.series(name));
    return { name, help, type: 'histogram', values };
  }
}

/** Values with the same labels, by bucket. */
export class BucketCounts {
  readonly #bounds: readonly number[];
  readonly #labels: Labels;
  /** Each without those of the buckets below; the last is above all bounds. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[], labels: Labels) {
    this.#bounds = bounds;
    this.#labels = labels;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Takes a value as often as it came. */
  observe(value: number, times = 1): void {
    let bucket = 0;
    let above = this.#bounds.length;
    while (bucket < above) {
      const middle = (bucket + above) >> 1;
      if (value > this.#bounds[middle]!) bucket = middle + 1;
      else above = middle;
    }
    this.#counts[bucket]! += times;
    this.#sum += value * times;
  }

  /** Its series below a name. */
  series(name: string): readonly Series[] {
    const labels = this.#labels;
    let count = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, bucket) => {
      count += this.#counts[bucket]!;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
    });
    if (count === 0 && Object.keys(labels).length > 0) return [];
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
