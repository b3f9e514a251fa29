import type { DrawnToken } from '../../core/sampling/drawn-token.ts';
import type { SchedulerOptions } from '../../core/scheduler/options.ts';
import type { GenerationRequest } from '../../core/scheduler/request.ts';
import {
  type Admission,
  type ScheduledStep,
  Scheduler,
  type SequenceOutput,
} from '../../core/scheduler/scheduler.ts';
import { assert } from '../../core/support/errors.ts';

/** Any token does: nothing stops at it. */
const DRAWN: DrawnToken = { token: 0, logprobs: undefined };

/** One batch of a replica, with the scheduler of the live cluster; there is one for each pipeline stage. */
export class Lane {
  readonly scheduler: Scheduler;
  /** When something is to be done for it; infinite while it has nothing to do. */
  nextMicros = Number.POSITIVE_INFINITY;
  readonly #drawn: readonly DrawnToken[];
  #step: ScheduledStep | undefined;

  constructor(options: SchedulerOptions) {
    this.scheduler = new Scheduler(options);
    this.#drawn = new Array<DrawnToken>(options.maxNumSeqs).fill(DRAWN);
  }

  /** The step in flight. */
  get step(): ScheduledStep | undefined {
    return this.#step;
  }

  /** Requests that wait or run. */
  get load(): number {
    return this.scheduler.waitingCount + this.scheduler.runningCount;
  }

  add(request: GenerationRequest, nowMicros: number): Admission {
    return this.scheduler.add(request, nowMicros);
  }

  /** Schedules the next step, of which there is one while any request is there. */
  begin(nowMicros: number): ScheduledStep {
    this.#step = this.scheduler.schedule(nowMicros);
    assert(this.#step !== undefined, 'requests that wait or run can go on');
    this.scheduler.takeKvEvents(); // nobody listens
    return this.#step;
  }

  /** Ends the step in flight. */
  complete(nowMicros: number): readonly SequenceOutput[] {
    this.#step = undefined;
    this.nextMicros = Number.POSITIVE_INFINITY;
    return this.scheduler.complete(this.#drawn, nowMicros);
  }
}
