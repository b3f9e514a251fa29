import { findArchitecture } from '../checkpoint/model-catalogue.ts';
import { schedulerOptions } from '../runtime/coordinator/scheduler-options.ts';
import type { ResolvedServing } from '../runtime/options/resolve-serving.ts';
import { drawnWorkload, type WorkloadOptions } from '../runtime/options/workload-options.ts';
import { cataloguePath } from '../runtime/phantom/catalogue-path.ts';
import { placePhantom } from '../runtime/phantom/place-phantom.ts';
import type { CapacityScenario } from '../sim/capacity/scenario.ts';

/** What `sohu sim` simulates for a phantom cluster under a load: the same but for the processes. */
export function loadScenario(
  serving: ResolvedServing,
  workload: WorkloadOptions,
): CapacityScenario {
  const { model, phantom, tp } = serving;
  const architecture = findArchitecture(model, cataloguePath());
  return {
    placed: placePhantom(architecture, { ...serving, ...phantom!, tensorParallel: tp }),
    scheduler: schedulerOptions(serving, {
      maxPositions: architecture.maxPositions,
      stopTokenIds: [],
    }),
    numGpuBlocksOverride: serving.numGpuBlocksOverride,
    workload: drawnWorkload(workload),
    maxConcurrency: Number.POSITIVE_INFINITY,
    routing: 'least_loaded',
    goals: {},
  };
}
