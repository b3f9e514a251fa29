/** The window that Grafana fits to the scrape interval. */
export const WINDOW = '$__rate_interval';

/** The growth of a counter per second, summed over everything but the labels. */
export function rateBy(by: string, series: string): string {
  return `sum by (${by}) (rate(${series}[${WINDOW}]))`;
}

/** The mean of what a histogram observed. */
export function meanBy(by: string, name: string, selector: string): string {
  return `${rateBy(by, `${name}_sum${selector}`)} / ${rateBy(by, `${name}_count${selector}`)}`;
}

/**
 * A quantile of a histogram whose buckets are narrow: Prometheus takes the observations of a bucket
 * as evenly spread, so that it is as exact as the bucket is.
 */
export function quantileBy(
  quantile: number,
  { by, name, selector }: { readonly by: string; readonly name: string; readonly selector: string },
): string {
  return `histogram_quantile(${quantile}, ${rateBy(`${by}, le`, `${name}_bucket${selector}`)})`;
}

/** Of what a histogram observed, the share in the buckets up to a bound, which must be one. */
export function shareUpTo(
  bound: string,
  { by, name, selector }: { readonly by: string; readonly name: string; readonly selector: string },
): string {
  const within = `${selector.slice(0, -1)},le="${bound}"}`;
  return `${rateBy(by, `${name}_bucket${within}`)} / ${rateBy(by, `${name}_count${selector}`)}`;
}
