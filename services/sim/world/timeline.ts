import { assert } from '../../core/support/errors.ts';

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
  /** A binary heap. */
  readonly #events: TimedAction[] = [];
  #nowMicros = 0;
  #order = 0;
  #happened = 0;

  get nowMicros(): number {
    return this.#nowMicros;
  }

  /** Events that are to happen. */
  get pending(): number {
    return this.#events.length;
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
    this.#rise(this.#events.length - 1);
  }

  /** Lets the next event happen; returns false where there is none. */
  advance(): boolean {
    const [next] = this.#events;
    if (next === undefined) return false;
    const last = this.#events.pop()!;
    if (this.#events.length > 0) {
      this.#events[0] = last;
      this.#sink();
    }
    this.#nowMicros = next.atMicros;
    this.#happened++;
    next.action();
    return true;
  }

  #rise(from: number): void {
    const events = this.#events;
    const event = events[from]!;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, events[parent]!)) break;
      events[index] = events[parent]!;
      index = parent;
    }
    events[index] = event;
  }

  #sink(): void {
    const events = this.#events;
    const event = events[0]!;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++;
      if (!isBefore(events[child]!, event)) break;
      events[index] = events[child]!;
      index = child;
    }
    events[index] = event;
  }
}

function isBefore(a: TimedAction, b: TimedAction): boolean {
  return a.atMicros !== b.atMicros ? a.atMicros < b.atMicros : a.order < b.order;
}
