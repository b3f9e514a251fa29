import type { Chip, Format } from '../hardware/chip.ts';
import { rangeOf, valueAt } from '../hardware/figure.ts';
import type { PowerParameters } from './calibration-model.ts';
import { type ChipRates, peakFlopsOf } from './chip-rates.ts';
import { LEAST_POWER_SHARE } from './token-cost.ts';

/** Rounds of Newton's method: from full clock, the second is right to a part in a thousand. */
const ROUNDS = 3;
/** Below it no chip lowers its clock (assumed). */
const LEAST_CLOCK = 0.4;

/** What a power limit sees of a step on one chip at full clock. */
export interface PowerDemand {
  readonly computeSeconds: number;
  /** In which memory, links or the host are waited for. */
  readonly otherSeconds: number;
  readonly computeJoules: number;
  readonly memoryBytes: number;
}

/** How a chip's power limit slows its arithmetic. */
export interface PowerLimit {
  /** Of a FLOP at full clock, by the format of the factors. */
  joulesPerFlop(format: Format): number;
  /** The clock over the full one, above 0 and at most 1, at which steps like this one keep to the limit. */
  clockOf(demand: PowerDemand): number;
  /**
   * What one chip draws for work at a clock, in a time: by the law of the measured chips, relative to its limit
   * and peak; undefined for chips that do not boost.
   */
  drawnJoules(
    work: Pick<PowerDemand, 'computeJoules' | 'memoryBytes'>,
    at: { readonly clock: number; readonly seconds: number },
  ): number | undefined;
}

const UNLIMITED: PowerLimit = {
  joulesPerFlop: () => 0,
  clockOf: () => 1,
  drawnJoules: () => undefined,
};

/**
 * The power limit of a chip that boosts; others hold their clock. A chip draws a share of its limit
 * always, and energy for each FLOP and byte. Voltage follows the clock c, so that work takes c^1.5 of its energy
 * (power as c^2.5; 2.4 to 2.8 were measured on H100 and H200); of its time only arithmetic takes longer. In the
 * steady state
 *   joules · c^1.5 = (limit − idle) · (computeSeconds / c + otherSeconds).
 */
export function makePowerLimit(rates: ChipRates, power: PowerParameters | undefined): PowerLimit {
  if (power === undefined || !rates.chip.boosts) return UNLIMITED;
  const limitWatts = valueAt(rates.chip.powerWatts, rates.end);
  const idleWatts = limitWatts * power.idleShare;
  const spareWatts = limitWatts - idleWatts;
  const joulesOf = (work: Pick<PowerDemand, 'computeJoules' | 'memoryBytes'>): number =>
    work.computeJoules + work.memoryBytes * power.joulesPerByte;
  return {
    joulesPerFlop: (format) => (power.peakShare * limitWatts) / peakFlopsOf(rates, format),
    clockOf: (demand) => clockWithin(spareWatts, demand, joulesOf(demand)),
    drawnJoules: (work, { clock, seconds }) =>
      idleWatts * seconds +
      Math.min(spareWatts * seconds, joulesOf(work) * clock * Math.sqrt(clock)),
  };
}

/** What a chip draws that waits: as was measured, or the least that is assumed of a busy one. */
export function idleWattsOf({ boosts, powerWatts }: Chip, power: PowerParameters): number {
  const { low } = rangeOf(powerWatts);
  return low * (boosts ? power.idleShare : LEAST_POWER_SHARE);
}

function clockWithin(
  spareWatts: number,
  { computeSeconds, otherSeconds }: PowerDemand,
  joules: number,
): number {
  const computeAllows = spareWatts * computeSeconds;
  const othersAllow = spareWatts * otherSeconds;
  if (joules <= computeAllows + othersAllow) return 1;
  let clock = 1;
  for (let round = 0; round < ROUNDS; round++) {
    const root = Math.sqrt(clock);
    const excess = joules * clock * root - computeAllows / clock - othersAllow;
    const slope = 1.5 * joules * root + computeAllows / (clock * clock);
    clock = Math.max(LEAST_CLOCK, clock - excess / slope);
  }
  return clock;
}
