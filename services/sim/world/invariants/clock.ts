import type { World } from '../world.ts';
import { type Invariant, require } from './invariant.ts';

/** I3: clocks never go back, and the group's epoch neither. */
export class Clock implements Invariant {
  #nowMicros = 0;
  #epoch = 0;

  readonly coordinatorEnded = (): void => {
    this.#epoch = 0;
  };

  readonly afterEvent = ({ timeline, runningCoordinator }: World): void => {
    const { nowMicros } = timeline;
    const epoch = runningCoordinator?.epoch ?? 0;
    require('I3', nowMicros >= this.#nowMicros, () => `${nowMicros} after ${this.#nowMicros}`);
    require('I3', epoch >= this.#epoch, () => `epoch ${epoch} after ${this.#epoch}`);
    this.#nowMicros = nowMicros;
    this.#epoch = epoch;
  };
}
