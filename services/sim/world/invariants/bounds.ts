import type { World } from '../world.ts';
import { type Invariant, require } from './invariant.ts';

/** Frames that a chip holds for exchanges to come, as its runner bounds them. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** Far more than a world of this size can have on its way, unless something sends without end. */
const MAX_PENDING_EVENTS = 1000;

/** I10: every queue has a bound. */
export class Bounds implements Invariant {
  readonly #maxQueued: number;

  /** `maxQueued` is how many samples may wait and run. */
  constructor(maxQueued: number) {
    this.#maxQueued = maxQueued;
  }

  readonly afterEvent = ({ coordinator: { scheduler }, timeline, chips }: World): void => {
    const queued = (scheduler?.waitingCount ?? 0) + (scheduler?.runningCount ?? 0);
    require('I10', queued <= this.#maxQueued, () => `${queued} sequences are queued`);
    const { pending } = timeline;
    require('I10', pending <= MAX_PENDING_EVENTS, () => `${pending} events are to happen`);
    for (const { heldBytes } of chips) {
      require('I10', heldBytes <= MAX_HELD_BYTES, () => `${heldBytes} bytes of frames are held`);
    }
  };
}
