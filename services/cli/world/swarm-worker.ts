import { UNSHARED_WASM } from '../../kernels/wasm.ts';
import { Laboratory } from '../../sim/world/laboratory.ts';
import { findDifference, runScenario, type ScenarioOutcome } from '../../sim/world/run-scenario.ts';
import { drawScenario, type WorldMode } from '../../sim/world/scenario.ts';

/** Seeds from `first`, each in every mode. */
export interface SwarmTask {
  readonly first: number;
  readonly count: number;
  readonly modes: readonly WorldMode[];
}

/** A world that did not hold. */
export interface SwarmViolation {
  readonly seed: number;
  readonly mode: WorldMode;
  readonly message: string;
}

export interface SwarmResult {
  /** In the order of seeds and modes. */
  readonly transcripts: readonly string[];
  readonly violations: readonly SwarmViolation[];
  readonly events: number;
}

/** Every so many seeds run twice, to see that they take the same course. */
const SEEDS_PER_REPETITION = 16;

const laboratory = new Laboratory(UNSHARED_WASM);

/** Runs some seeds in this thread. */
export function runSeeds({ first, count, modes }: SwarmTask): SwarmResult {
  const transcripts: string[] = [];
  const violations: SwarmViolation[] = [];
  let events = 0;
  for (let seed = first; seed < first + count; seed++) {
    for (const mode of modes) {
      const outcome = runScenario(drawScenario(seed, mode), laboratory);
      transcripts.push(outcome.transcript);
      events += outcome.events;
      const message = outcome.violation ?? differenceOf(seed, mode, outcome);
      if (message !== undefined) violations.push({ seed, mode, message });
    }
  }
  return { transcripts, violations, events };
}

function differenceOf(seed: number, mode: WorldMode, outcome: ScenarioOutcome): string | undefined {
  if (seed % SEEDS_PER_REPETITION !== 0) return undefined;
  return findDifference(drawScenario(seed, mode), laboratory, outcome);
}
