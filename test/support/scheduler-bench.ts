import assert from 'node:assert/strict';
import type { SchedulerOptions } from '../../services/core/scheduler/options.ts';
import type { Sequence } from '../../services/core/scheduler/request.ts';
import { type ScheduledStep, Scheduler } from '../../services/core/scheduler/scheduler.ts';
import { makeGenerationRequest } from './generation-request.ts';
import { makeSchedulerOptions } from './scheduler-options.ts';

/** A scheduler with the limits of the case, driven by hand. */
export class SchedulerBench {
  readonly scheduler: Scheduler;
  #now = 0;

  constructor(options: Partial<SchedulerOptions>) {
    this.scheduler = new Scheduler(makeSchedulerOptions({ blockSize: 4, ...options }));
  }

  /** Queues a request whose prompt nobody else has, unless it is given. */
  add(given: Partial<Parameters<typeof makeGenerationRequest>[0]> & { prompt?: number }): Sequence {
    const { prompt = 4, ...fields } = given;
    this.#now++;
    const promptTokens = Array.from({ length: prompt }, (_, i) => 1000 * this.#now + i);
    const request = makeGenerationRequest({ promptTokens, ...fields });
    const admission = this.scheduler.add(request, this.#now);
    assert.ok(admission.kind === 'queued', JSON.stringify(admission));
    return admission.sequences[0]!;
  }

  /** What the next step computes, as [id, start, count] a sequence, and completes it. */
  step(token = 7): [number, number, number][] {
    const step = this.schedule();
    this.complete(step, token);
    return step.sequences.map(({ sequence, start, count }) => [sequence.id, start, count]);
  }

  schedule(): ScheduledStep {
    const step = this.scheduler.schedule(this.#now++);
    assert.ok(step !== undefined, 'there is something to do');
    return step;
  }

  complete({ sequences }: ScheduledStep, token = 7): void {
    const sampled = sequences.filter(({ sample }) => sample);
    this.scheduler.complete(
      sampled.map(() => ({ token, logprobs: undefined })),
      this.#now++,
    );
    this.scheduler.checkIntegrity();
  }
}
