import type { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import {
  completionTokens,
  type GenerationRequest,
  type RequestTimes,
  type Sequence,
} from '../../core/scheduler/request.ts';
import { PlannedGenerations } from '../../sim/capacity/planned-generation.ts';
import type { PlannedRequest } from '../../sim/capacity/planned-request.ts';
import { reportServing } from '../../sim/capacity/serving-report.ts';
import { type ServedRequest, ServingStatistics } from '../../sim/capacity/serving-statistics.ts';
import { arrivalRate } from '../../sim/capacity/workload.ts';
import { Alarm } from '../support/alarm.ts';
import type { LoadReport } from './load-report.ts';

export interface LoadGeneratorOptions {
  readonly coordinator: Coordinator;
  /** In the order of arrival, which is in device time from the start. */
  readonly requests: readonly PlannedRequest[];
  /** As the coordinator's clock. */
  readonly nowMicros: () => number;
  /** Called once every request has ended. */
  readonly done: (report: LoadReport) => void;
}

/**
 * Offers a load from within a coordinator's process. Requests arrive at planned moments of device time:
 * those that fall into a step are handed in as it ends, before the next is scheduled, which is when the
 * scheduler would look at them; where there is nothing to do, the next is waited for. So the load is the
 * same whatever the host holds.
 */
export class LoadGenerator {
  readonly #options: LoadGeneratorOptions;
  readonly #generations = new PlannedGenerations();
  readonly #alarm = new Alarm(() => this.#offerNext());
  readonly #device = new ServingStatistics({});
  readonly #host = new ServingStatistics({});
  #refused = 0;
  #next = 0;
  /** Device and host time of the start; undefined before it. */
  #start: { readonly deviceMicros: number; readonly hostMicros: number } | undefined;
  #cpu = process.cpuUsage();
  #steps = 0;
  #sequenceSteps = 0;
  #mostSequences = 0;
  #mostOpen = 0;

  constructor(options: LoadGeneratorOptions) {
    this.#options = options;
  }

  /** Takes what happened in the group; the load begins when that is ready. */
  observe(event: CoordinatorEvent): void {
    if (event.kind === 'ready' && this.#start === undefined) setImmediate(() => this.#begin());
    if (this.#start === undefined) return;
    if (event.kind === 'token') this.#takeToken(event);
    else if (event.kind === 'requestFailed') this.#refused++;
    else if (event.kind === 'stepCompleted') this.#takeStep(event.sequences);
  }

  close(): void {
    this.#alarm.clear();
  }

  #begin(): void {
    const { coordinator, nowMicros } = this.#options;
    const hostMicros = nowMicros();
    this.#start = { deviceMicros: coordinator.clock!.at(hostMicros), hostMicros };
    this.#cpu = process.cpuUsage();
    this.#goOn();
  }

  #takeToken(event: Extract<CoordinatorEvent, { kind: 'token' }>): void {
    if (event.finishReason === undefined) return;
    const { sequence, deviceTimes } = event;
    this.#device.addRequest(servedRequest(sequence, deviceTimes!));
    this.#host.addRequest(servedRequest(sequence, sequence.times));
  }

  #takeStep(sequences: number): void {
    this.#steps++;
    this.#sequenceSteps += sequences;
    this.#mostSequences = Math.max(this.#mostSequences, sequences);
    const { coordinator, nowMicros } = this.#options;
    const deviceMicros = coordinator.clock!.at(nowMicros());
    while (this.#nextMicros <= deviceMicros) this.#offerNext();
    const { waitingCount, runningCount } = coordinator.scheduler!;
    // Only once the step loop has seen that there is nothing to do is there a pause to wait through.
    if (waitingCount + runningCount === 0) setImmediate(() => this.#goOn());
  }

  /** Waits for the next request, or ends the load. */
  #goOn(): void {
    const { coordinator, nowMicros, requests, done } = this.#options;
    if (this.#next < requests.length) {
      this.#alarm.set(coordinator.clock!.hostAt(this.#nextMicros) - nowMicros());
    } else done(this.#report());
  }

  /** Hands in the next request, and those that arrive at the same moment. */
  #offerNext(): void {
    const { coordinator, requests } = this.#options;
    const arrivalMicros = this.#nextMicros;
    const together: GenerationRequest[] = [];
    while (this.#nextMicros === arrivalMicros) {
      const number = this.#next++;
      together.push(this.#generations.make(requests[number]!, number));
    }
    const submissions = coordinator.submitAll(together, arrivalMicros);
    const { waitingCount, runningCount } = coordinator.scheduler!;
    this.#mostOpen = Math.max(this.#mostOpen, waitingCount + runningCount);
    this.#refused += submissions.filter(({ kind }) => kind !== 'queued').length;
  }

  /** Device time of the next arrival; infinite after the last. */
  get #nextMicros(): number {
    const next = this.#options.requests[this.#next];
    if (next === undefined) return Number.POSITIVE_INFINITY;
    return this.#start!.deviceMicros + next.arrivalMicros;
  }

  #report(): LoadReport {
    const { coordinator, nowMicros, requests } = this.#options;
    const { deviceMicros, hostMicros } = this.#start!;
    const { user, system } = process.cpuUsage(this.#cpu);
    const hostPassed = nowMicros() - hostMicros;
    const clock = coordinator.clock!;
    const arrivals = { arrivalsPerSecond: arrivalRate(requests), mostOpen: this.#mostOpen };
    return {
      device: reportServing(this.#device, {
        ...arrivals,
        micros: clock.lastStepMicros - deviceMicros,
      }),
      host: reportServing(this.#host, { ...arrivals, micros: hostPassed }),
      refused: this.#refused,
      steps: this.#steps,
      meanSequences: this.#sequenceSteps / Math.max(1, this.#steps),
      mostSequences: this.#mostSequences,
      preemptions: coordinator.scheduler!.stats.preemptions,
      pace: clock.pace,
      coordinatorCpuShare: (user + system) / hostPassed,
    };
  }
}

function servedRequest(sequence: Sequence, times: Readonly<RequestTimes>): ServedRequest {
  const { arrivalMicros, firstTokenMicros, lastTokenMicros } = times;
  return {
    inputTokens: sequence.request.promptTokens.length,
    outputTokens: completionTokens(sequence),
    ttftMicros: firstTokenMicros! - arrivalMicros,
    e2elMicros: lastTokenMicros! - arrivalMicros,
  };
}
