import type { Range } from '../hardware/figure.ts';
import { type LoadPrice, type PricedLoad, priceLoad } from './load-price.ts';
import type { TokenCost } from './token-cost.ts';

/** A load priced with the worst, the middle and the best of what a chip's figures allow. */
export interface PriceSpan {
  readonly low: LoadPrice;
  readonly middle: LoadPrice;
  readonly high: LoadPrice;
}

/** Prices a load at both ends of its chip's ranges and in the middle. */
export function priceSpan(load: PricedLoad): PriceSpan {
  return {
    low: priceLoad(load, 'low'),
    middle: priceLoad(load, 'middle'),
    high: priceLoad(load, 'high'),
  };
}

/** The least and the most that a figure of the price comes to. */
export function rangeOver({ low, high }: PriceSpan, of: (price: LoadPrice) => number): Range {
  const values = [of(low), of(high)];
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** The least and the most that a million tokens take. */
export function costOver({ low, high }: PriceSpan, of: keyof TokenCost): Range {
  return {
    low: Math.min(low.cost[of].low, high.cost[of].low),
    high: Math.max(low.cost[of].high, high.cost[of].high),
  };
}
