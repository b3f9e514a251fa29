import type { RequestTimes, Sequence } from '../core/scheduler/request.ts';
import type { ScheduledStep } from '../core/scheduler/scheduler.ts';
import { assert } from '../core/support/errors.ts';
import { shapeOfStep } from '../core/timing/shape-of-step.ts';
import type { StepPrice } from '../core/timing/step-price.ts';
import type { StepPricer } from '../core/timing/step-pricer.ts';

const MICROS_PER_SECOND = 1e6;

/**
 * What the modelled chips would have needed, beside what this computer needs. The clock stands
 * while no step runs and moves on when one is complete, so that whoever arrives during a step has
 * waited since its beginning, and a step that is given up takes nothing.
 */
export class DeviceClock {
  readonly #pricer: StepPricer;
  readonly #times = new WeakMap<Sequence, RequestTimes>();
  #nowMicros = 0;
  /** Of the step in flight, or the last. */
  #price: StepPrice | undefined;

  constructor(pricer: StepPricer) {
    this.#pricer = pricer;
  }

  /** Takes in a sequence that begins to wait. */
  arrive(sequence: Sequence): void {
    this.#times.set(sequence, {
      arrivalMicros: this.#nowMicros,
      admittedMicros: undefined,
      firstTokenMicros: undefined,
      lastTokenMicros: undefined,
    });
  }

  /** Prices a step that begins. */
  begin({ sequences }: ScheduledStep): void {
    this.#price = this.#pricer.price(shapeOfStep(sequences));
    for (const { sequence, admitted } of sequences) {
      const times = this.#times.get(sequence);
      // After the first token a preemption counts as decoding.
      if (!admitted || times === undefined || times.firstTokenMicros !== undefined) continue;
      times.admittedMicros = this.#nowMicros;
    }
  }

  /** Ends the step in flight; returns what it took. */
  complete(): StepPrice {
    assert(this.#price !== undefined, 'a step began');
    this.#nowMicros += this.#price.seconds * MICROS_PER_SECOND;
    return this.#price;
  }

  /** Notes a token of the step that has just ended; returns the moments of its sequence. */
  draw(sequence: Sequence): RequestTimes | undefined {
    const times = this.#times.get(sequence);
    if (times === undefined) return undefined;
    times.firstTokenMicros ??= this.#nowMicros;
    times.lastTokenMicros = this.#nowMicros;
    return times;
  }
}
