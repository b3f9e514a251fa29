import type { KvEvent } from '../core/kv/kv-events.ts';
import type { DrawnToken } from '../core/sampling/drawn-token.ts';
import type { SchedulerOptions } from '../core/scheduler/options.ts';
import type { FinishReason, GenerationRequest, Sequence } from '../core/scheduler/request.ts';
import { type Admission, type ScheduledStep, Scheduler } from '../core/scheduler/scheduler.ts';
import { type Member, Membership } from './membership.ts';
import type { ChipCounters, Command, GroupSpec, Report, StepCommand } from './messages.ts';
import { StepCollector } from './step-collector.ts';
import { stepSequence } from './step-sequence.ts';

/** What happens in a group, for those who serve its clients and watch it. */
export type CoordinatorEvent =
  | {
      readonly kind: 'loading';
      readonly rank: number;
      readonly loaded: number;
      readonly total: number;
    }
  | { readonly kind: 'ready'; readonly epoch: number; readonly kvBlocks: number }
  | { readonly kind: 'refused'; readonly rank: number; readonly message: string }
  | {
      readonly kind: 'token';
      readonly sequence: Sequence;
      readonly drawn: DrawnToken;
      readonly finishReason: FinishReason | undefined;
    }
  | { readonly kind: 'requestFailed'; readonly sequence: Sequence; readonly message: string }
  | { readonly kind: 'kvEvents'; readonly events: readonly KvEvent[] }
  | {
      readonly kind: 'stepCompleted';
      readonly step: number;
      readonly tokens: number;
      readonly sequences: number;
      readonly durationMicros: number;
    };

/** Everything that a coordinator does to the world outside. */
export interface CoordinatorEffects {
  /** Sends a command to every chip of the group. */
  command(command: Command): void;
  event(event: CoordinatorEvent): void;
  /** Calls `Coordinator.tick` once after the delay. */
  setTick(delayMicros: number): void;
  /** A clock that never goes back. */
  nowMicros(): number;
}

export interface CoordinatorOptions {
  readonly spec: GroupSpec;
  readonly scheduler: Omit<SchedulerOptions, 'kvBlocks'>;
  /** A step that takes longer fails, and with it the requests that were running. */
  readonly stepTimeoutMicros: number;
}

const TICK_MICROS = 250_000;

/**
 * The head of a group: forms it, turns the scheduler's decisions into step commands, and the chips'
 * reports into tokens. A synchronous state machine with one step in flight.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #effects: CoordinatorEffects;
  readonly #membership: Membership;
  readonly #counters = new Map<number, ChipCounters>();
  #scheduler: Scheduler | undefined;
  #collector: StepCollector | undefined;
  #step = 0;

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
    return this.#scheduler;
  }

  /** What a chip said of itself in its last report. */
  countersOf(rank: number): ChipCounters | undefined {
    return this.#counters.get(rank);
  }

  /** Queues a request; tokens follow as events. */
  submit(request: GenerationRequest): Admission | { readonly kind: 'unavailable' } {
    if (this.#scheduler === undefined) return { kind: 'unavailable' };
    const admission = this.#scheduler.add(request, this.#effects.nowMicros());
    this.#pump();
    return admission;
  }

  /**
   * Ends a sequence at any moment, and again: its blocks are free before the next step, and what
   * the step in flight draws for it is not told.
   */
  cancel(sequence: Sequence): void {
    this.#scheduler?.cancel(sequence);
  }

  /** Watches the step in flight, and calls again for chips that have not joined the epoch. */
  tick(): void {
    this.#effects.setTick(TICK_MICROS);
    const join = this.#membership.currentJoin();
    if (join !== undefined && !this.ready) this.#effects.command(join);
    const collector = this.#collector;
    if (collector === undefined) return;
    const elapsed = this.#effects.nowMicros() - collector.beganMicros;
    if (elapsed <= this.#options.stepTimeoutMicros) return;
    const seconds = this.#options.stepTimeoutMicros / 1e6;
    this.#failStep(
      `step ${collector.step} was not completed within ${seconds} s: no report from chip ${collector.silent.join(', ')}`,
    );
  }

  /**
   * The link to the chips was down: what was sent meanwhile is lost, so nothing of it is trusted.
   */
  reconnected(): void {
    if (this.#scheduler !== undefined) this.#failStep('the connection to the broker was lost');
  }

  receiveReport(report: Report): void {
    if (report.kind === 'hello') this.#welcome(report);
    else if (report.kind === 'progress') this.#effects.event({ ...report, kind: 'loading' });
    else if (report.kind === 'refused') this.#effects.event(report);
    else if (report.kind === 'ready') this.#takeReady(report);
    else if (report.kind === 'report') this.#takeReport(report);
    else this.#takeLogits(report);
  }

  #welcome(hello: Extract<Report, { kind: 'hello' }>): void {
    const isNew = this.#membership.hello(hello);
    const missed = this.#membership.currentJoin();
    if (!isNew && missed !== undefined) this.#effects.command(missed);
    if (!isNew || !this.#membership.allPresent) return;
    if (this.#scheduler === undefined) this.#effects.command(this.#membership.raiseEpoch());
    else this.#failStep(`chip ${hello.rank} was started anew`);
  }

  #takeReady(ready: Extract<Report, { kind: 'ready' }>): void {
    const wasReady = this.ready;
    this.#membership.ready(ready);
    if (wasReady || !this.ready) return;
    const { kvBlocks, epoch } = this.#membership;
    this.#scheduler ??= new Scheduler({ ...this.#options.scheduler, kvBlocks });
    this.#step = 0;
    this.#effects.event({ kind: 'ready', epoch, kvBlocks });
    this.#pump();
  }

  /** Begins the next step if there is something to do and nothing in flight. */
  #pump(): void {
    if (!this.ready || this.#collector !== undefined) return;
    const now = this.#effects.nowMicros();
    const scheduled = this.#scheduler?.schedule(now);
    this.#tellKvEvents();
    if (scheduled === undefined) return;
    this.#step++;
    this.#collector = new StepCollector({
      step: this.#step,
      scheduled,
      ranks: this.#options.spec.tensorParallel,
      beganMicros: now,
    });
    this.#effects.command(this.#commandOf(scheduled));
  }

  #commandOf(scheduled: ScheduledStep): StepCommand {
    return {
      kind: 'step',
      epoch: this.#membership.epoch,
      step: this.#step,
      released: scheduled.released,
      sequences: scheduled.sequences.map(stepSequence),
    };
  }

  #takeReport(report: Extract<Report, { kind: 'report' }>): void {
    this.#counters.set(report.rank, report.counters);
    if (!this.#isCurrent(report)) return;
    const collector = this.#collector!;
    const state = collector.addReport(report);
    if (state === 'complete') this.#completeStep();
    else if (state === 'divergent') {
      this.#failStep(`the chips' activations differ after step ${collector.step}`);
    } else if (state === 'unproven') {
      const { epoch } = this.#membership;
      const { step, unproven } = collector;
      this.#effects.command({ kind: 'logits', epoch, step, samples: unproven });
    }
  }

  #takeLogits(logits: Extract<Report, { kind: 'shardLogits' }>): void {
    if (this.#isCurrent(logits) && this.#collector!.addLogits(logits) === 'complete') {
      this.#completeStep();
    }
  }

  #isCurrent(report: {
    readonly epoch: number;
    readonly step: number;
    readonly rank: number;
  }): boolean {
    return (
      report.epoch === this.#membership.epoch &&
      report.step === this.#collector?.step &&
      report.rank < this.#options.spec.tensorParallel
    );
  }

  #completeStep(): void {
    const collector = this.#collector!;
    this.#collector = undefined;
    const now = this.#effects.nowMicros();
    for (const output of this.#scheduler!.complete(collector.drawn, now)) {
      this.#effects.event({ kind: 'token', ...output });
    }
    const { sequences } = collector.scheduled;
    const tokens = sequences.reduce((sum, { count }) => sum + count, 0);
    this.#effects.event({
      kind: 'stepCompleted',
      step: collector.step,
      tokens,
      sequences: sequences.length,
      durationMicros: now - collector.beganMicros,
    });
    this.#pump();
  }

  /**
   * Fails what was running or waiting, and starts over in a new epoch, in which nothing of the
   * broken step counts.
   */
  #failStep(message: string): void {
    this.#collector = undefined;
    for (const sequence of this.#scheduler!.cancelAll()) {
      this.#effects.event({ kind: 'requestFailed', sequence, message });
    }
    this.#tellKvEvents();
    this.#effects.command(this.#membership.raiseEpoch());
  }

  #tellKvEvents(): void {
    const events = this.#scheduler?.takeKvEvents() ?? [];
    if (events.length > 0) this.#effects.event({ kind: 'kvEvents', events });
  }
}
