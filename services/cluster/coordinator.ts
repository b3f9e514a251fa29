import type { SchedulerOptions } from '../core/scheduler/options.ts';
import type { GenerationRequest, Sequence } from '../core/scheduler/request.ts';
import { type Admission, Scheduler } from '../core/scheduler/scheduler.ts';
import type { StepPricer } from '../core/timing/step-pricer.ts';
import type { CoordinatorEffects } from './coordinator-effects.ts';
import { DeviceClock } from './device-clock.ts';
import { type Member, Membership } from './membership.ts';
import type { ChipCounters, GroupSpec, Report } from './messages.ts';
import { StepLoop } from './step-loop.ts';

export interface CoordinatorOptions {
  readonly spec: GroupSpec;
  readonly scheduler: Omit<SchedulerOptions, 'kvBlocks'>;
  /** Tokens of the model's vocabulary. */
  readonly vocabSize: number;
  /** A step that takes longer is given up, and everything is computed anew in a new epoch. */
  readonly stepTimeoutMicros: number;
  /** What steps take on the modelled chips; without it there is no device time. */
  readonly pricer?: StepPricer;
}

const TICK_MICROS = 250_000;

/** The group's work, from when it has been ready for the first time. */
interface Serving {
  readonly scheduler: Scheduler;
  readonly loop: StepLoop;
  readonly clock: DeviceClock | undefined;
}

/**
 * The head of a group: forms it, takes requests in, and lets it run steps while all chips are in
 * one epoch. A synchronous state machine: whatever it does to the world goes through its effects.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #effects: CoordinatorEffects;
  readonly #membership: Membership;
  readonly #counters = new Map<number, ChipCounters>();
  #serving: Serving | undefined;

  constructor(options: CoordinatorOptions, effects: CoordinatorEffects) {
    this.#options = options;
    this.#effects = effects;
    this.#membership = new Membership(options.spec);
  }

  get ready(): boolean {
    return this.#membership.allReady;
  }

  get members(): readonly Member[] {
    return this.#membership.members;
  }

  /** Undefined until the group has been ready for the first time. */
  get scheduler(): Scheduler | undefined {
    return this.#serving?.scheduler;
  }

  /** What a chip said of itself in its last report. */
  countersOf(rank: number): ChipCounters | undefined {
    return this.#counters.get(rank);
  }

  /** Queues a request; tokens follow as events. */
  submit(request: GenerationRequest): Admission | { readonly kind: 'unavailable' } {
    if (this.#serving === undefined) return { kind: 'unavailable' };
    const { scheduler, loop, clock } = this.#serving;
    const admission = scheduler.add(request, this.#effects.nowMicros());
    if (admission.kind === 'queued') for (const each of admission.sequences) clock?.arrive(each);
    loop.pump();
    return admission;
  }

  /**
   * Ends a sequence at any moment, and again: its blocks are free before the next step, and what
   * the step in flight draws for it is not told.
   */
  cancel(sequence: Sequence): void {
    this.scheduler?.cancel(sequence);
  }

  /** Watches the step in flight, and calls again for chips that have not joined the epoch. */
  tick(): void {
    this.#effects.setTick(TICK_MICROS);
    const join = this.#membership.currentJoin();
    if (join !== undefined && !this.ready) this.#effects.command(join);
    this.#serving?.loop.tick();
  }

  /**
   * The link to the chips was down: what was sent meanwhile is lost, so nothing of it is trusted.
   */
  reconnected(): void {
    this.#serving?.loop.fail('the connection to the broker was lost');
  }

  receiveReport(report: Report): void {
    switch (report.kind) {
      case 'hello':
        this.#welcome(report);
        break;
      case 'progress':
        this.#effects.event({ ...report, kind: 'loading' });
        break;
      case 'refused':
        this.#effects.event(report);
        break;
      case 'ready':
        this.#takeReady(report);
        break;
      case 'report':
        if (report.rank < this.#options.spec.tensorParallel) {
          this.#counters.set(report.rank, report.counters);
        }
        this.#serving?.loop.takeReport(report);
        break;
      case 'shardLogits':
        this.#serving?.loop.takeLogits(report);
        break;
    }
  }

  #welcome(hello: Extract<Report, { kind: 'hello' }>): void {
    const isNew = this.#membership.hello(hello);
    const missed = this.#membership.currentJoin();
    if (!isNew && missed !== undefined) this.#effects.command(missed);
    if (!isNew || !this.#membership.allPresent) return;
    if (this.#serving === undefined) this.#raiseEpoch();
    else this.#serving.loop.fail(`chip ${hello.rank} was started anew`);
  }

  #takeReady(ready: Extract<Report, { kind: 'ready' }>): void {
    const wasReady = this.ready;
    this.#membership.ready(ready);
    if (wasReady || !this.ready) return;
    const { kvBlocks, epoch } = this.#membership;
    this.#serving ??= this.#serve(kvBlocks);
    this.#effects.event({ kind: 'ready', epoch, kvBlocks });
    this.#serving.loop.beginEpoch(epoch);
  }

  #serve(kvBlocks: number): Serving {
    const { spec, vocabSize, stepTimeoutMicros, pricer } = this.#options;
    const scheduler = new Scheduler({ ...this.#options.scheduler, kvBlocks });
    const clock = pricer && new DeviceClock(pricer);
    const loop = new StepLoop({
      scheduler,
      clock,
      ranks: spec.tensorParallel,
      vocabSize,
      stepTimeoutMicros,
      effects: this.#effects,
      failed: () => this.#raiseEpoch(),
    });
    return { scheduler, loop, clock };
  }

  #raiseEpoch(): void {
    this.#effects.command(this.#membership.raiseEpoch());
  }
}
