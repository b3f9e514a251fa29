import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { findChip } from '../../core/hardware/chip-catalogue.ts';
import type { RangeEnd } from '../../core/hardware/figure.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import {
  checkFit,
  hasUncertainRates,
  isByConstruction,
  type PlacedModel,
  planLoad,
} from '../../core/timing/load-price.ts';
import {
  CLAIMED_SOFTWARE,
  defaultSoftware,
  findSoftwareVersion,
  IDEAL_SOFTWARE,
} from '../../core/timing/software-version.ts';
import { type SpreadOutcome, spreadOf } from '../../sim/vendor-scenarios/spread.ts';
import type { Outcome, VendorScenario } from '../../sim/vendor-scenarios/vendor-scenario.ts';
import { formatOn } from '../claim/compare-loads.ts';
import { findModel } from '../models/models.ts';
import { Progress } from '../terminal/progress.ts';
import type { runScenario, ScenarioTask } from './scenario-worker.ts';

/** Chips of every kind: one server. */
const TP = 8;

/** A scenario on one kind of chip with one software. */
export interface ScenarioRow extends SpreadOutcome {
  readonly placed: PlacedModel;
}

/** What was worked out, and why some chips have no row. */
export interface ScenarioResult {
  readonly scenario: VendorScenario;
  readonly seed: number;
  readonly rows: readonly ScenarioRow[];
  readonly refused: readonly string[];
}

/** Works a scenario out for each of the chips, on all cores; equal arguments give an equal result. */
export async function workOut(
  scenario: VendorScenario,
  chips: readonly string[],
  seed: number,
): Promise<ScenarioResult> {
  const { placed, refused } = placeAll(scenario, chips);
  const pool = new Piscina<ScenarioTask, ReturnType<typeof runScenario>>({
    filename: fileURLToPath(new URL('./scenario-worker.js', import.meta.url)),
    name: 'runScenario',
  });
  const progress = new Progress();
  const tasks = placed.flatMap((each) => endsOf(each).map((end) => ({ placed: each, end })));
  let done = 0;
  const run = async (task: Omit<ScenarioTask, 'scenario' | 'seed'>): Promise<Outcome> => {
    const outcome = await pool.run({ scenario: scenario.name, seed, ...task });
    progress.advance('Working out', ++done / tasks.length);
    return outcome;
  };
  try {
    const outcomes = await Promise.all(tasks.map(run));
    const outcomesOf = (each: PlacedModel) =>
      outcomes.filter((_, index) => tasks[index]!.placed === each);
    const rows = placed.map((each) => ({ placed: each, ...spreadOf(outcomesOf(each)) }));
    return { scenario, seed, rows, refused };
  } finally {
    progress.closeLine();
    await pool.destroy();
  }
}

/** The middle first. */
function endsOf({ chip }: PlacedModel): readonly RangeEnd[] {
  return hasUncertainRates(chip) ? ['middle', 'low', 'high'] : ['middle'];
}

/** The model on every chip, but for those that it does not fit; refuses where that is none. */
function placeAll(scenario: VendorScenario, chips: readonly string[]) {
  const placed: PlacedModel[] = [];
  const refused: string[] = [];
  for (const each of chips.flatMap((chip) => placementsOf(scenario, chip))) {
    try {
      checkFit(each, planLoad(each));
      placed.push(each);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      refused.push(error.message);
    }
  }
  if (placed.length === 0) throw new InvalidArgumentError(refused[0]!);
  return { placed, refused: [...new Set(refused)] };
}

/** As claimed and with ideal software where a chip is only claimed; else with the latest that is modelled. */
function placementsOf(scenario: VendorScenario, chipName: string): readonly PlacedModel[] {
  const chip = findChip(chipName);
  const versions = isByConstruction(chip)
    ? [CLAIMED_SOFTWARE, IDEAL_SOFTWARE]
    : [defaultSoftware(false).name];
  return versions.map((name) => {
    const software = findSoftwareVersion(name);
    return {
      architecture: findModel(scenario.model),
      chip,
      layout: { tp: TP, pp: 1, ep: 1, dp: 1 },
      precision: { weights: formatOn(chip, 'fp8'), kv: 'fp8' },
      software,
      maxNumBatchedTokens: software.maxNumBatchedTokens,
      maxNumSeqs: software.maxNumSeqs,
    };
  });
}
