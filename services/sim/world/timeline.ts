import { assert } from '../../core/support/errors.ts';
import { Heap } from '../../core/support/heap.ts';

interface TimedAction {
  readonly atMicros: number;
  /** Decides between events of the same microsecond: first come, first served. */
  readonly order: number;
  readonly action: () => void;
}

/**
 * Virtual time: what is to happen, in one strict total order of time and arrival. Time jumps from
 * one event to the next.
 */
export class Timeline {
  readonly #events = new Heap<TimedAction>(isBefore);
  #nowMicros = 0;
  #order = 0;
  #happened = 0;

  get nowMicros(): number {
    return this.#nowMicros;
  }

  /** Events that are to happen. */
  get pending(): number {
    return this.#events.size;
  }

  /** Events that have happened. */
  get happened(): number {
    return this.#happened;
  }

  /** Lets something happen after a delay, in whole microseconds. */
  after(delayMicros: number, action: () => void): void {
    assert(delayMicros >= 0, 'nothing happens in the past');
    const atMicros = this.#nowMicros + Math.round(delayMicros);
    this.#events.push({ atMicros, order: this.#order++, action });
  }

  /** Lets the next event happen; returns false where there is none. */
  advance(): boolean {
    const next = this.#events.pop();
    if (next === undefined) return false;
    this.#nowMicros = next.atMicros;
    this.#happened++;
    next.action();
    return true;
  }
}

function isBefore(a: TimedAction, b: TimedAction): boolean {
  return a.atMicros !== b.atMicros ? a.atMicros < b.atMicros : a.order < b.order;
}
