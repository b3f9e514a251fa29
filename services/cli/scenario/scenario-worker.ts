import type { RangeEnd } from '../../core/hardware/figure.ts';
import type { PlacedModel } from '../../core/timing/load-price.ts';
import { findVendorScenario } from '../../sim/vendor-scenarios/catalogue.ts';
import type { Outcome } from '../../sim/vendor-scenarios/vendor-scenario.ts';

/** A scenario on one chip, at one end of what its figures allow. */
export interface ScenarioTask {
  readonly scenario: string;
  readonly placed: PlacedModel;
  readonly end: RangeEnd;
  readonly seed: number;
}

/** Works it out, in this thread. */
export function runScenario({ scenario, ...target }: ScenarioTask): Outcome {
  return findVendorScenario(scenario).measure(target);
}
