import type { GenerationRequest, RequestProgress, Sequence } from '../core/scheduler/request.ts';
import { type Admission, Scheduler } from '../core/scheduler/scheduler.ts';
import type { CoordinatorEffects, CoordinatorEvent } from './coordinator-effects.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { DeviceClock } from './device-clock.ts';
import { type Member, Membership } from './membership.ts';
import type { ChipCounters, Hello, Ready, Report } from './messages.ts';
import { type OpenRequest, RequestLedger, readJournal } from './request-ledger.ts';
import { SequenceGrammars } from './sequence-grammars.ts';
import { StepLoop } from './step-loop.ts';

const TICK_MICROS = 250_000;

/** What became of a request; `unavailable` before the group has been ready for the first time. */
export type Submission = Admission | { readonly kind: 'unavailable' };

/** A request as it comes in. */
interface Arrival {
  readonly request: GenerationRequest;
  readonly progress?: RequestProgress | undefined;
  /** A moment of device time not long ago; now where absent. */
  readonly arrivalMicros?: number | undefined;
}

/** A chip's account of itself; undefined before there is one. */
export interface LastReports {
  readonly last: ChipCounters | undefined;
  readonly before: ChipCounters | undefined;
}

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
  readonly #ledger: RequestLedger | undefined;
  /** By rank, as of the report before the last one. */
  readonly #before: ChipCounters[] = [];
  readonly #counters: ChipCounters[] = [];
  /** Requests of coordinators before this one, until the group can go on with them. */
  #recovered: readonly OpenRequest[];
  #serving: Serving | undefined;
  /** Whether the chips report their times of every step from the next on. */
  traceSteps = false;

  constructor(options: CoordinatorOptions, effects: CoordinatorEffects) {
    const { journal } = options;
    const { requests, lastEpoch } = readJournal(journal?.recovered ?? []);
    this.#options = options;
    this.#effects = effects;
    this.#recovered = requests;
    this.#membership = new Membership(options.spec, { lastEpoch, nowMicros: effects.nowMicros() });
    this.#ledger =
      journal &&
      new RequestLedger(journal, (requestId) => effects.event({ kind: 'accepted', requestId }));
  }

  get ready(): boolean {
    return this.#membership.allReady;
  }

  /** The group's current epoch; 0 before the first. */
  get epoch(): number {
    return this.#membership.epoch;
  }

  /** Chips that the group has now; 0 until it is formed. */
  get ranks(): number {
    return this.#membership.ranks;
  }

  get members(): readonly Member[] {
    return this.#membership.members;
  }

  /** Undefined until the group has been ready for the first time. */
  get scheduler(): Scheduler | undefined {
    return this.#serving?.scheduler;
  }

  /** Device time and the pace; undefined until the group has been ready, and without a pricer. */
  get clock(): DeviceClock | undefined {
    return this.#serving?.clock;
  }

  /** Whether the chips have been given a step that is not complete. */
  get isStepInFlight(): boolean {
    return this.#serving?.loop.isStepInFlight ?? false;
  }

  /** What a chip said of itself in its last report. */
  countersOf(rank: number): ChipCounters | undefined {
    return this.#counters[rank];
  }

  /** What a chip said of itself in its last two reports. */
  lastReportsOf(rank: number): LastReports {
    return { last: this.#counters[rank], before: this.#before[rank] };
  }

  /**
   * Queues a request; tokens follow as events. With a journal it outlasts the coordinator once the
   * event `accepted` has come, and one that comes again is the one that came before. One that another
   * coordinator had begun goes on from its progress.
   */
  submit(request: GenerationRequest, progress?: RequestProgress): Submission {
    if (this.#serving === undefined) return { kind: 'unavailable' };
    const submission = this.#queue(this.#serving, { request, progress });
    this.#serving.loop.pump();
    return submission;
  }

  /**
   * Queues requests that come together, before any of them is scheduled; the outcome of each. Their
   * arrival is now, or a moment of device time not long ago where a load is planned in device time.
   */
  submitAll(requests: readonly GenerationRequest[], arrivalMicros?: number): readonly Submission[] {
    const serving = this.#serving;
    if (serving === undefined) return requests.map(() => ({ kind: 'unavailable' }));
    const submissions = requests.map((each) =>
      this.#queue(serving, { request: each, arrivalMicros }),
    );
    serving.loop.pump();
    return submissions;
  }

  /**
   * Ends a sequence at any moment, and again: its blocks are free before the next step, and what
   * the step in flight draws for it is not told.
   */
  cancel(sequence: Sequence): void {
    this.scheduler?.cancel(sequence);
    this.#ledger?.ended(sequence);
  }

  /** Watches the step in flight, and calls again for chips that have not joined the epoch. */
  tick(): void {
    this.#effects.setTick(TICK_MICROS);
    if (this.ready) this.#effects.command({ kind: 'heartbeat', epoch: this.epoch });
    else this.#askAgain();
    this.#serving?.loop.tick();
  }

  /** A delay that was set is over. */
  alarm(): void {
    this.#serving?.loop.alarm();
  }

  /**
   * The link to the chips was down: what was sent meanwhile is lost, so nothing of it is trusted.
   */
  reconnected(): void {
    this.#serving?.loop.fail('the connection to the broker was lost');
  }

  /** The first `count` records that were appended to the journal are durable. */
  journaled(count: number): void {
    this.#ledger?.durable(count);
  }

  receiveReport(report: Report): void {
    switch (report.kind) {
      case 'hello':
        this.#welcome(report);
        break;
      case 'progress':
        this.#membership.heard(report.rank, this.#effects.nowMicros());
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
          this.#noteCounters(report);
        }
        this.#serving?.loop.takeReport(report);
        break;
      case 'shardLogits':
        this.#serving?.loop.takeLogits(report);
        break;
    }
  }

  #noteCounters({ rank, counters }: Extract<Report, { kind: 'report' }>): void {
    const last = this.#counters[rank];
    if (last !== undefined) this.#before[rank] = last;
    this.#counters[rank] = counters;
  }

  #queue({ scheduler, clock }: Serving, arrival: Arrival): Submission {
    const { request, progress, arrivalMicros } = arrival;
    const known = this.#ledger?.find(request.requestId);
    if (known !== undefined) return { kind: 'queued', sequences: known };
    const now = this.#effects.nowMicros();
    const admission = scheduler.add(request, now, progress);
    if (admission.kind === 'queued') {
      for (const each of admission.sequences) clock?.arrive(each, now, arrivalMicros);
      this.#ledger?.accept(request, admission.sequences);
    }
    return admission;
  }

  #welcome(hello: Hello): void {
    const membership = this.#membership;
    const isNew = membership.hello(hello, this.#effects.nowMicros());
    if (membership.form()) this.#raiseEpoch();
    else if (!membership.isMember(hello.seat)) return;
    else if (isNew) this.#beginAnew(`chip ${hello.seat} was started anew`);
    else if (membership.isOvertaken) this.#beginAnew('the chips are in a later epoch');
    // Whoever has missed the last join hears it at the next tick: an answer to every offer, heard
    // by all, would bring more offers.
  }

  /** Calls for those that are missing, and gives up those that do not come. */
  #askAgain(): void {
    const isReplaced = this.#membership.replaceSilent({
      nowMicros: this.#effects.nowMicros(),
      patienceMicros: this.#options.patienceMicros,
    });
    const join = this.#membership.currentJoin();
    if (isReplaced) this.#raiseEpoch();
    else if (join !== undefined) this.#effects.command(join);
  }

  #takeReady(ready: Ready): void {
    const membership = this.#membership;
    const wasReady = this.ready;
    membership.heard(ready.rank, this.#effects.nowMicros());
    membership.ready(ready);
    if (wasReady || !this.ready) return;
    const { kvBlocks, epoch, ranks } = membership;
    this.#serving ??= this.#serve(kvBlocks);
    this.#failAll(this.#serving.scheduler.resize(kvBlocks));
    this.#restore(this.#serving);
    this.#effects.event({ kind: 'ready', epoch, kvBlocks });
    this.#serving.loop.beginEpoch(epoch, ranks);
  }

  /** Takes the requests of coordinators before this one over. */
  #restore({ scheduler, clock }: Serving): void {
    if (this.#recovered.length === 0) return;
    for (const { request, generated } of this.#recovered) {
      const now = this.#effects.nowMicros();
      const sequences = scheduler.restore(request, generated, now);
      for (const each of sequences) clock?.arrive(each, now);
      this.#ledger!.restore(request, sequences);
      this.#effects.event({ kind: 'restored', sequences });
    }
    this.#recovered = [];
    this.#failAll(scheduler.removeUnservable());
  }

  #serve(kvBlocks: number): Serving {
    const { vocabSize, stepTimeoutMicros, pricer, speed, spec, grammars } = this.#options;
    const scheduler = new Scheduler({ ...this.#options.scheduler, kvBlocks });
    const clock = pricer && new DeviceClock(pricer, speed);
    const loop = new StepLoop({
      scheduler,
      clock,
      vocabSize,
      grammars: grammars && new SequenceGrammars(grammars),
      stepTimeoutMicros,
      isTraced: () => this.traceSteps,
      phantom: spec.phantom?.tokens,
      effects: {
        command: (command) => this.#effects.command(command),
        event: (event) => this.#note(event),
        nowMicros: () => this.#effects.nowMicros(),
        setAlarm: (delayMicros) => this.#effects.setAlarm(delayMicros),
      },
      failed: () => this.#raiseEpoch(),
    });
    return { scheduler, loop, clock };
  }

  /** Writes down what is told, and tells it. */
  #note(event: CoordinatorEvent): void {
    if (event.kind === 'token') {
      this.#ledger?.drawn(event.sequence, event.drawn, event.finishReason !== undefined);
    } else if (event.kind === 'requestFailed') this.#ledger?.ended(event.sequence);
    this.#effects.event(event);
  }

  #failAll(sequences: readonly Sequence[]): void {
    const message = 'the group has too few KV blocks left for the request';
    for (const sequence of sequences) {
      this.#note({ kind: 'requestFailed', sequence, message, isAtFault: false });
    }
  }

  #beginAnew(reason: string): void {
    if (this.#serving === undefined) this.#raiseEpoch();
    else this.#serving.loop.fail(reason);
  }

  #raiseEpoch(): void {
    const join = this.#membership.raiseEpoch(this.#effects.nowMicros());
    this.#ledger?.epochBegins(join.epoch);
    this.#effects.command(join);
  }
}
