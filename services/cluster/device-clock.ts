import type { RequestTimes, Sequence } from '../core/scheduler/request.ts';
import type { ScheduledStep } from '../core/scheduler/scheduler.ts';
import { shapeOfStep } from '../core/timing/shape-of-step.ts';
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
  /** Of the step in flight. */
  #stepMicros = 0;

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
    this.#stepMicros = this.#pricer.seconds(shapeOfStep(sequences)) * MICROS_PER_SECOND;
    for (const { sequence, admitted } of sequences) {
      const times = this.#times.get(sequence);
      // After the first token a preemption counts as decoding.
      if (!admitted || times === undefined || times.firstTokenMicros !== undefined) continue;
      times.admittedMicros = this.#nowMicros;
    }
  }

  /** Ends the step in flight; returns what it took in microseconds. */
  complete(): number {
    this.#nowMicros += this.#stepMicros;
    return this.#stepMicros;
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
