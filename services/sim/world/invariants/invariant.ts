import type { World } from '../world.ts';
import type { WorldObserver } from '../world-observer.ts';

/** A named condition that holds in every world; a check throws a `Violation` where it does not. */
export interface Invariant extends WorldObserver {
  /** Holds after every event. */
  readonly afterEvent?: (world: World) => void;
}

/** An invariant that does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** Its name, as the design has it. */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** Throws a `Violation` where the condition does not hold. */
export function require(
  invariant: string,
  condition: boolean,
  message: () => string,
): asserts condition {
  if (!condition) throw new Violation(invariant, message());
}
