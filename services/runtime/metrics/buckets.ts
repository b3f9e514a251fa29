/** Upper bounds of step durations: 50 µs to 10 s, about two to an octave where steps are. */
export const STEP_BUCKETS_SECONDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04,
  0.06, 0.08, 0.12, 0.16, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The same for the modelled chips, which take microseconds for a small model: from 1 µs. */
export const DEVICE_STEP_BUCKETS_SECONDS = [
  0.000001,
  0.0000025,
  0.000005,
  0.00001,
  0.000025,
  ...STEP_BUCKETS_SECONDS,
];

const SMALLEST_LATENCY_SECONDS = 1e-4;
const LARGEST_LATENCY_SECONDS = 200;
const LATENCY_BUCKETS_PER_OCTAVE = 3;

/**
 * Upper bounds of latencies that clients see: 100 µs to 200 s, three to an octave, so that a quantile
 * that Prometheus interpolates in a bucket is off by less than 26 %. Those of vLLM would put every gap
 * of a fast chip into one bucket.
 */
export const LATENCY_BUCKETS_SECONDS = Array.from(
  {
    length:
      1 +
      Math.ceil(
        LATENCY_BUCKETS_PER_OCTAVE * Math.log2(LARGEST_LATENCY_SECONDS / SMALLEST_LATENCY_SECONDS),
      ),
  },
  (_, index) =>
    Number((SMALLEST_LATENCY_SECONDS * 2 ** (index / LATENCY_BUCKETS_PER_OCTAVE)).toPrecision(3)),
);
