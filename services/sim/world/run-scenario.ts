import type { Laboratory } from './laboratory.ts';
import type { Scenario } from './scenario.ts';
import { type Sabotage, Simulation } from './simulation.ts';

/** What became of a scenario. */
export interface ScenarioOutcome {
  /** What did not hold; undefined where everything did. */
  readonly violation: string | undefined;
  /** The hash of its transcript: equal scenarios have equal ones. */
  readonly transcript: string;
  readonly events: number;
  readonly virtualMicros: number;
}

/** Runs a scenario in a world of its own, to its end or to the first thing that does not hold. */
export function runScenario(
  scenario: Scenario,
  laboratory: Laboratory,
  sabotage?: Sabotage,
): ScenarioOutcome {
  const simulation = new Simulation(scenario, laboratory, sabotage);
  let violation: string | undefined;
  try {
    simulation.run();
  } catch (error) {
    violation = error instanceof Error ? error.message : String(error);
  }
  const { transcript, world } = simulation;
  if (violation !== undefined) transcript.addText(violation);
  return {
    violation,
    transcript: transcript.hash,
    events: world.timeline.happened,
    virtualMicros: world.timeline.nowMicros,
  };
}

/** I6: runs a scenario once more; a sentence where it takes another course. */
export function findDifference(
  scenario: Scenario,
  laboratory: Laboratory,
  outcome: ScenarioOutcome,
): string | undefined {
  const again = runScenario(scenario, laboratory);
  if (again.transcript === outcome.transcript) return undefined;
  return `I6: the transcript is ${outcome.transcript}, and ${again.transcript} when it runs again`;
}
