import type { Chip } from '../hardware/chip.ts';
import { type Range, rangeOf } from '../hardware/figure.ts';

/** What a million processed tokens take; ranges, for prices and draws are never known exactly. */
export interface TokenCost {
  readonly joules: Range;
  readonly dollars: Range;
}

/** A busy accelerator draws between this share of its rated power and all of it (assumed). */
export const LEAST_POWER_SHARE = 0.5;

/** Assumed, for any chip: what surrounds it, how long it serves, and what a kilowatt-hour costs. */
const SERVER_OVER_CHIP_PRICE: Range = { low: 1.2, high: 1.6 };
const FACILITY_OVER_CHIP_POWER: Range = { low: 1.2, high: 1.8 };
const LIFETIME_YEARS: Range = { low: 3, high: 5 };
const DOLLARS_PER_KILOWATT_HOUR: Range = { low: 0.05, high: 0.15 };

const SECONDS_PER_YEAR = 365.25 * 24 * 3600;
const JOULES_PER_KILOWATT_HOUR = 3.6e6;
const MILLION = 1e6;

/** Energy and cost per million tokens of chips that are busy all the time. */
export function costPerMillionTokens(options: {
  readonly chip: Chip;
  readonly chips: number;
  readonly tokensPerSecond: number;
  /** What each draws meanwhile; where it is absent, shares of its rated power. */
  readonly chipWatts?: Range;
}): TokenCost {
  const { chip, chips, tokensPerSecond } = options;
  const power = options.chipWatts ?? busyWattsOf(chip);
  const price = rangeOf(chip.priceDollars);
  const seconds = (chips * MILLION) / tokensPerSecond;
  const joules = {
    low: power.low * FACILITY_OVER_CHIP_POWER.low * seconds,
    high: power.high * FACILITY_OVER_CHIP_POWER.high * seconds,
  };
  const dollarsAt = (end: 'low' | 'high', years: number): number =>
    (price[end] * SERVER_OVER_CHIP_PRICE[end] * seconds) / (years * SECONDS_PER_YEAR) +
    (joules[end] / JOULES_PER_KILOWATT_HOUR) * DOLLARS_PER_KILOWATT_HOUR[end];
  return {
    joules,
    dollars: {
      low: dollarsAt('low', LIFETIME_YEARS.high),
      high: dollarsAt('high', LIFETIME_YEARS.low),
    },
  };
}

/** Energy in a time, of so many chips: what each draws. */
export function wattsOf({ low, high }: Range, chipSeconds: number): Range {
  return { low: low / chipSeconds, high: high / chipSeconds };
}

function busyWattsOf({ powerWatts }: Chip): Range {
  const { low, high } = rangeOf(powerWatts);
  return { low: low * LEAST_POWER_SHARE, high };
}
