import type { RequestTimes, Sequence } from '../core/scheduler/request.ts';
import type { ScheduledStep } from '../core/scheduler/scheduler.ts';
import { assert } from '../core/support/errors.ts';
import { shapeOfStep } from '../core/timing/shape-of-step.ts';
import type { StepPrice } from '../core/timing/step-price.ts';
import type { StepPricer } from '../core/timing/step-pricer.ts';
import type { StepShape } from '../core/timing/step-shape.ts';
import { type Pace, Pacer } from './pacer.ts';

const MICROS_PER_SECOND = 1e6;

/** A step, and what it takes. */
export interface PricedStep {
  readonly shape: StepShape;
  readonly price: StepPrice;
}

/**
 * What the modelled chips would have needed, beside what this computer needs. Each step is priced as
 * it begins, and takes its device time when it is complete: a step that is given up takes nothing.
 * Without a speed the clock stands while no step is complete, so that whoever arrives during a step
 * has waited since its beginning; with one it goes on with the host's.
 */
export class DeviceClock {
  readonly #pricer: StepPricer;
  readonly #pacer: Pacer;
  /** Of the step in flight, or the last. */
  #step: PricedStep | undefined;

  /** `speed`: device seconds in a second of the host at the most; 0 is no bound. */
  constructor(pricer: StepPricer, speed = 0) {
    this.#pricer = pricer;
    this.#pacer = new Pacer(speed);
  }

  get pace(): Pace {
    return this.#pacer.pace;
  }

  /** Device time when the step in flight began or, between steps, when the last one ended. */
  get lastStepMicros(): number {
    return this.#pacer.stepMoment;
  }

  /** Device time. */
  at(nowMicros: number): number {
    return this.#pacer.deviceAt(nowMicros);
  }

  /** When device time gets to a moment while there is nothing to do, in host time. */
  hostAt(deviceMicros: number): number {
    return this.#pacer.hostAt(deviceMicros);
  }

  /** Takes in a sequence that begins to wait, now or at a moment of device time that is given. */
  arrive(sequence: Sequence, nowMicros: number, deviceMicros?: number): void {
    if (deviceMicros !== undefined) this.#pacer.advanceTo(deviceMicros, nowMicros);
    sequence.deviceTimes = {
      arrivalMicros: deviceMicros ?? this.at(nowMicros),
      admittedMicros: undefined,
      firstTokenMicros: undefined,
      lastTokenMicros: undefined,
    };
  }

  /** Prices a step that begins; returns when it is due in host time. */
  begin({ sequences }: ScheduledStep, nowMicros: number): number {
    const shape = shapeOfStep(sequences);
    const price = this.#pricer.price(shape);
    this.#step = { shape, price };
    const due = this.#pacer.begin(nowMicros, price.seconds * MICROS_PER_SECOND);
    const beganMicros = this.#pacer.stepMoment;
    for (const { sequence, admitted } of sequences) {
      if (!admitted) continue;
      const times = sequence.deviceTimes;
      // After the first token a preemption counts as decoding.
      if (times === undefined || times.firstTokenMicros !== undefined) continue;
      times.admittedMicros = beganMicros;
    }
    return due;
  }

  /** Ends the step in flight; returns what it took. */
  complete(nowMicros: number): PricedStep {
    assert(this.#step !== undefined, 'a step began');
    this.#pacer.complete(nowMicros);
    return this.#step;
  }

  /** The step in flight is given up. */
  abandon(nowMicros: number): void {
    this.#pacer.abandon(nowMicros);
  }

  /** There is nothing to do. */
  rest(nowMicros: number): void {
    this.#pacer.rest(nowMicros);
  }

  /** Notes a token of the step that has just ended; returns the moments of its sequence. */
  draw(sequence: Sequence): RequestTimes | undefined {
    const times = sequence.deviceTimes;
    if (times === undefined) return undefined;
    const nowMicros = this.#pacer.stepMoment;
    times.firstTokenMicros ??= nowMicros;
    times.lastTokenMicros = nowMicros;
    return times;
  }
}
