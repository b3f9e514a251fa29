import type { SchedulerOptions } from '../../core/scheduler/options.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import { type CapacityReport, reportCapacity } from './capacity-report.ts';
import { ClientLoop } from './client-loop.ts';
import { DeviceUsage } from './device-usage.ts';
import type { Lane } from './lane.ts';
import type { LatencyGoals } from './latency-goals.ts';
import { PlannedGenerations } from './planned-generation.ts';
import type { PlannedRequest } from './planned-request.ts';
import { Refusals } from './refusals.ts';
import { Replica, type SimulatedStep } from './replica.ts';
import { Router, type RoutingPolicy } from './routing.ts';
import { ServingStatistics } from './serving-statistics.ts';
import { StepStatistics } from './step-statistics.ts';
import { arrivalRate } from './workload.ts';

export interface CapacityOptions {
  readonly pricer: StepPricer;
  /** Of one replica. */
  readonly scheduler: SchedulerOptions;
  /** In the order of arrival. */
  readonly requests: readonly PlannedRequest[];
  /** Requests that clients keep open at the most; may be infinite. */
  readonly maxConcurrency: number;
  readonly routing: RoutingPolicy;
  readonly goals: LatencyGoals;
  /** Hears of every step as it begins. */
  readonly onStep?: (step: PlacedStep) => void;
}

/** A step, and whose it is. */
export interface PlacedStep extends SimulatedStep {
  readonly replica: number;
  /** Which of the replica's batches. */
  readonly batch: number;
}

interface Placed {
  readonly replica: Replica;
  readonly lane: Lane;
  readonly replicaIndex: number;
  readonly batch: number;
}

/**
 * Serves a workload in virtual time: the scheduler and KV manager of the live cluster, with steps
 * that take what the timing model says they would on the modelled chips. Equal options give an equal
 * report.
 */
export function simulateCapacity(options: CapacityOptions): CapacityReport {
  if (isCacheIdle(options)) {
    const scheduler = { ...options.scheduler, enablePrefixCaching: false };
    const report = new CapacitySimulation({ ...options, scheduler }).run();
    if (report.preemptions === 0) return report;
  }
  return new CapacitySimulation(options).run();
}

/**
 * Whether the prefix cache can find nothing but what a preemption lost, because no prompts share
 * anything: without a preemption the report is the same without it, at half the work.
 */
function isCacheIdle({ scheduler, requests, onStep }: CapacityOptions): boolean {
  const isUnshared = requests.every(({ contentIds }) => contentIds === undefined);
  return scheduler.enablePrefixCaching && isUnshared && onStep === undefined;
}

class CapacitySimulation {
  readonly #options: CapacityOptions;
  readonly #clients: ClientLoop<PlannedRequest>;
  readonly #placed: readonly Placed[];
  readonly #router: Router<Placed>;
  readonly #generations = new PlannedGenerations();
  readonly #statistics: StepStatistics;
  readonly #usage = new DeviceUsage();
  readonly #refusals = new Refusals();
  #nowMicros = 0;

  constructor(options: CapacityOptions) {
    this.#options = options;
    const { pricer, scheduler, requests, maxConcurrency } = options;
    this.#clients = new ClientLoop(requests, maxConcurrency);
    this.#statistics = new StepStatistics(new ServingStatistics(options.goals));
    const { dp } = pricer.options.layout;
    this.#placed = Array.from({ length: dp }, (_, replicaIndex) => {
      const replica = new Replica(pricer, scheduler);
      return replica.lanes.map((lane, batch) => ({ replica, lane, replicaIndex, batch }));
    }).flat();
    this.#router = new Router(this.#placed, options.routing);
  }

  run(): CapacityReport {
    for (let now = this.#nextMicros(); now < Number.POSITIVE_INFINITY; now = this.#nextMicros()) {
      this.#nowMicros = now;
      for (const placed of this.#placed) if (placed.lane.nextMicros === now) this.#wake(placed);
      while (this.#clients.dueMicros <= now) this.#send();
      for (const placed of this.#placed) this.#pump(placed);
    }
    return reportCapacity({
      statistics: this.#statistics,
      usage: this.#usage,
      schedulers: this.#placed.map(({ lane }) => lane.scheduler),
      refusals: this.#refusals,
      mostOpen: this.#clients.mostOpen,
      micros: this.#nowMicros,
      arrivalsPerSecond: arrivalRate(this.#options.requests),
      pricer: this.#options.pricer,
    });
  }

  /** The next moment at which anything happens. */
  #nextMicros(): number {
    // What a freed client may send was due before, and comes now.
    let next = Math.max(this.#clients.dueMicros, this.#nowMicros);
    for (const { lane } of this.#placed) if (lane.nextMicros < next) next = lane.nextMicros;
    return next;
  }

  #wake({ replica, lane }: Placed): void {
    const { step } = lane;
    lane.nextMicros = step === undefined ? Number.POSITIVE_INFINITY : lane.nextMicros;
    if (step === undefined) return;
    this.#statistics.addStep(step.sequences, this.#nowMicros);
    for (const { sequence, finishReason } of replica.complete(lane, this.#nowMicros)) {
      if (finishReason === undefined) continue;
      this.#statistics.addSequence(sequence);
      this.#clients.answered(Number(sequence.request.requestId), this.#nowMicros);
    }
  }

  #send(): void {
    const { request, number } = this.#clients.send();
    const admission = this.#router
      .choose()
      .lane.add(this.#generations.make(request, number), this.#nowMicros);
    if (admission.kind === 'queued') return;
    this.#refusals.add(admission);
    this.#clients.ended();
  }

  #pump({ replica, lane, replicaIndex, batch }: Placed): void {
    const step = replica.pump(lane, this.#nowMicros);
    if (step === undefined) return;
    this.#usage.add(step.price);
    this.#options.onStep?.({ ...step, replica: replicaIndex, batch });
  }
}
