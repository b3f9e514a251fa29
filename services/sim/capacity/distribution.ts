import { build, type Histogram } from 'hdr-histogram-js';

/** So many values are kept as they are; more are counted in buckets. */
const MOST_EXACT_VALUES = 100_000;
/** Percentiles of counted values are off by 0.05 % at the most. */
const SIGNIFICANT_DIGITS = 3;
/** Values are counted in whole nanoseconds. */
const UNITS_PER_MICRO = 1000;

/**
 * Durations in microseconds, and what can be said of them, in bounded memory. Mean and deviation are
 * exact; percentiles are too while there are few values, and then come from an HDR histogram.
 */
export class Distribution {
  #count = 0;
  #mean = 0;
  /** Sum of squared distances from the mean (Welford). */
  #squares = 0;
  #values: number[] = [];
  #histogram: Histogram | undefined;

  get count(): number {
    return this.#count;
  }

  get mean(): number {
    return this.#mean;
  }

  get deviation(): number {
    // Rounding may leave a sum of squares of equal values just below zero.
    return this.#count === 0 ? 0 : Math.sqrt(Math.max(0, this.#squares) / this.#count);
  }

  get isExact(): boolean {
    return this.#histogram === undefined;
  }

  /** Takes `times` equal values. */
  add(micros: number, times = 1): void {
    this.#count += times;
    const distance = micros - this.#mean;
    this.#mean += (distance * times) / this.#count;
    this.#squares += distance * (micros - this.#mean) * times;
    if (this.#histogram === undefined && this.#count > MOST_EXACT_VALUES) this.#beginCounting();
    if (this.#histogram !== undefined) record(this.#histogram, micros, times);
    else for (let i = 0; i < times; i++) this.#values.push(micros);
  }

  /** Percentiles in [0, 100] in the order asked for, interpolated linearly as numpy does; 0 of nothing. */
  percentiles(wanted: readonly number[]): readonly number[] {
    const histogram = this.#histogram;
    if (histogram !== undefined) {
      return wanted.map((percent) => histogram.getValueAtPercentile(percent) / UNITS_PER_MICRO);
    }
    const sorted = Float64Array.from(this.#values).sort();
    return wanted.map((percent) => interpolate(sorted, percent));
  }

  #beginCounting(): void {
    const histogram = build({
      useWebAssembly: false,
      bitBucketSize: 64,
      autoResize: true,
      numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    });
    for (const value of this.#values) record(histogram, value, 1);
    this.#values = [];
    this.#histogram = histogram;
  }
}

function record(histogram: Histogram, micros: number, times: number): void {
  histogram.recordValueWithCount(Math.round(micros * UNITS_PER_MICRO), times);
}

function interpolate(sorted: Float64Array, percent: number): number {
  if (sorted.length === 0) return 0;
  const rank = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(rank);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (rank - below) * (sorted[above]! - sorted[below]!);
}
