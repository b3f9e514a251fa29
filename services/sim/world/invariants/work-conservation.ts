import type { World } from '../world.ts';
import { type Invariant, require } from './invariant.ts';

/** I7: no group is idle while a request can run; the first one that waits always fits alone. */
export class WorkConservation implements Invariant {
  readonly afterEvent = ({ runningCoordinator }: World): void => {
    const { scheduler, ready, isStepInFlight } = runningCoordinator ?? {};
    if (scheduler === undefined || !ready || isStepInFlight) return;
    const open = scheduler.waitingCount + scheduler.runningCount;
    require('I7', open === 0, () => `the group is idle while ${open} sequences could run`);
  };
}
