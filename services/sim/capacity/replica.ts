import type { SchedulerOptions } from '../../core/scheduler/options.ts';
import type { ScheduledStep, SequenceOutput } from '../../core/scheduler/scheduler.ts';
import { assert } from '../../core/support/errors.ts';
import { shapeOfStep } from '../../core/timing/shape-of-step.ts';
import type { StepPrice } from '../../core/timing/step-price.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import type { StepShape } from '../../core/timing/step-shape.ts';
import { Lane } from './lane.ts';

const MICROS_PER_SECOND = 1e6;

/** A step that begins. */
export interface SimulatedStep {
  readonly lane: Lane;
  readonly scheduled: ScheduledStep;
  readonly shape: StepShape;
  readonly price: StepPrice;
  readonly beganMicros: number;
  readonly endMicros: number;
}

/**
 * One replica in virtual time. Each of its pipeline stages works on a batch of its own, so that there
 * are as many batches as stages: each is a lane, whose next step begins when its last one has left
 * the last stage and the first stage is free.
 */
export class Replica {
  readonly lanes: readonly Lane[];
  readonly #pricer: StepPricer;
  /** When the first stage can take a step in. */
  #entryMicros = 0;
  /** When the last step to begin leaves the last stage. */
  #exitMicros = 0;

  /** Limits and KV blocks are of the whole replica; its lanes share them evenly. */
  constructor(pricer: StepPricer, options: SchedulerOptions) {
    const { pp } = pricer.options.layout;
    const lane = {
      ...options,
      maxNumSeqs: Math.ceil(options.maxNumSeqs / pp),
      kvBlocks: Math.floor(options.kvBlocks / pp),
    };
    this.#pricer = pricer;
    this.lanes = Array.from({ length: pp }, () => new Lane(lane));
  }

  /** Ends the step of a lane whose time has come. */
  complete(lane: Lane, nowMicros: number): readonly SequenceOutput[] {
    assert(lane.nextMicros === nowMicros, 'a step ends when it is due');
    return lane.complete(nowMicros);
  }

  /** Begins a step of a lane that has none and something to do, now or when there is room. */
  pump(lane: Lane, nowMicros: number): SimulatedStep | undefined {
    if (lane.step !== undefined || lane.load === 0) return undefined;
    if (this.#entryMicros > nowMicros) {
      lane.nextMicros = this.#entryMicros;
      return undefined;
    }
    const scheduled = lane.begin(nowMicros);
    const shape = shapeOfStep(scheduled.sequences);
    const price = this.#pricer.price(shape);
    const interval = price.intervalSeconds * MICROS_PER_SECOND;
    this.#entryMicros = nowMicros + interval;
    // A short step does not overtake the one before it.
    const through = nowMicros + price.seconds * MICROS_PER_SECOND;
    this.#exitMicros = Math.max(through, this.#exitMicros + interval);
    if (this.lanes.length === 1) this.#exitMicros = this.#entryMicros = through;
    lane.nextMicros = this.#exitMicros;
    return {
      lane,
      scheduled,
      shape,
      price,
      beganMicros: nowMicros,
      endMicros: lane.nextMicros,
    };
  }
}
