import { schedulerOptions } from '../../runtime/coordinator/scheduler-options.ts';
import {
  type DrawnWorkloadOptions,
  drawnWorkload,
} from '../../runtime/options/drawn-workload-options.ts';
import type { ResolvedServing } from '../../runtime/options/resolve-serving.ts';
import type { CapacityScenario } from '../../sim/capacity/scenario.ts';
import { placedPhantom } from '../serve/phantom-story.ts';

/** What `sohu sim` simulates for a phantom cluster under a load: the same but for the processes. */
export function loadScenario(
  serving: ResolvedServing,
  workload: DrawnWorkloadOptions,
): CapacityScenario {
  const placed = placedPhantom(serving);
  const { maxPositions } = placed.architecture;
  return {
    placed,
    scheduler: schedulerOptions(serving, { maxPositions, stopTokenIds: [] }),
    numGpuBlocksOverride: serving.numGpuBlocksOverride,
    workload: drawnWorkload(workload),
    maxConcurrency: Number.POSITIVE_INFINITY,
    routing: 'least_loaded',
    goals: {},
  };
}
