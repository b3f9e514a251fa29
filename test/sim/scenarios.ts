import type { Fault } from '../../services/sim/world/faults.ts';
import type { Laboratory } from '../../services/sim/world/laboratory.ts';
import type { Scenario } from '../../services/sim/world/scenario.ts';
import { Simulation } from '../../services/sim/world/simulation.ts';
import type { World } from '../../services/sim/world/world.ts';

/** A plain scenario in which every request of the first few must finish, with the given fields. */
export function makeScenario(given: Partial<Scenario> = {}): Scenario {
  return {
    seed: 1,
    mode: 'liveness',
    isExact: true,
    isEncoded: true,
    precision: 'f32',
    tensorParallel: 4,
    spares: 0,
    scheduler: {
      maxNumSeqs: 8,
      maxNumBatchedTokens: 16,
      longPrefillTokenThreshold: 0,
      schedulingPolicy: 'fcfs',
      capacitySchedulerPolicy: 'max_utilization',
      watermark: 0,
      enablePrefixCaching: true,
      maxNumQueuedReqs: 16,
    },
    kvBlocks: 24,
    stepTimeoutMicros: 500_000,
    patienceMicros: 1_000_000,
    meanFlushMicros: 1_000,
    meanComputeMicros: 1_000,
    meanLoadMicros: 1_000,
    delays: { minMicros: 20, meanMicros: 30 },
    requests: [3, 7, 11, 19, 23].map((index) => ({
      ...{ index, atMicros: 1000 * index, cancelAtMicros: undefined },
    })),
    faults: [],
    horizonMicros: 2_000_000,
    ...given,
  };
}

/** Faults in the middle of the requests of `makeScenario`. */
export function during(
  ...faults: readonly (Pick<Fault, 'kind'> & Record<string, unknown>)[]
): readonly Fault[] {
  return faults.map((fault) => ({
    atMicros: 60_000,
    durationMicros: 100_000,
    ...fault,
  })) as Fault[];
}

/** Runs a scenario to its end and returns its world; throws where something does not hold. */
export function run(
  scenario: Scenario,
  laboratory: Laboratory,
  watch: (world: World) => void = () => {},
): Simulation {
  const simulation = new Simulation(scenario, laboratory, {
    tamper: (frame) => {
      watch(simulation.world);
      return frame;
    },
  });
  simulation.run();
  return simulation;
}
