import type { World } from '../world.ts';
import { type Invariant, require } from './invariant.ts';

/**
 * I4: free, used and cached blocks are all there are, and reference counts are those of the tables.
 * Checked once for every step: that is when blocks change hands.
 */
export class KvBlocks implements Invariant {
  #wasInFlight = false;

  readonly afterEvent = ({ runningCoordinator }: World): void => {
    const { scheduler, isStepInFlight = false } = runningCoordinator ?? {};
    if (scheduler === undefined || isStepInFlight === this.#wasInFlight) return;
    this.#wasInFlight = isStepInFlight;
    scheduler.checkIntegrity();
    const { runningCount, usedBlocks } = scheduler;
    require('I4', runningCount > 0 || usedBlocks === 0, () => `nobody holds ${usedBlocks} blocks`);
  };
}
