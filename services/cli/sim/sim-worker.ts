import { workerData } from 'node:worker_threads';
import type { Layout } from '../../core/timing/layout.ts';
import type { CapacityReport } from '../../sim/capacity/capacity-report.ts';
import { type CapacityScenario, simulateScenario } from '../../sim/capacity/scenario.ts';

const scenario = workerData as CapacityScenario;

/** What to change of the scenario that all threads know. */
export interface Probe {
  readonly layout: Layout;
  readonly requestRate: number;
}

/** Simulates the scenario on a layout at a rate, in this thread. */
export function runProbe({ layout, requestRate }: Probe): CapacityReport {
  const placed = { ...scenario.placed, layout };
  const workload = { ...scenario.workload, requestRate };
  return simulateScenario({ ...scenario, placed, workload }, 'middle');
}
