import type { PhantomTokens } from '../core/sampling/phantom-tokens.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import type { ScheduledStep, Scheduler } from '../core/scheduler/scheduler.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';
import type { CoordinatorEffects } from './coordinator-effects.ts';
import type { DeviceClock } from './device-clock.ts';
import type { Logits, StepReport, StepSequence } from './messages.ts';
import type { SequenceGrammars } from './sequence-grammars.ts';
import { StepCollector } from './step-collector.ts';
import { stepSequence } from './step-sequence.ts';

export interface StepLoopOptions {
  readonly scheduler: Scheduler;
  readonly clock: DeviceClock | undefined;
  /** Tokens of the model's vocabulary. */
  readonly vocabSize: number;
  /** Undefined where no request has a constraint. */
  readonly grammars: SequenceGrammars | undefined;
  /** A step that takes longer is given up. */
  readonly stepTimeoutMicros: number;
  /** Present where the chips hold no weights. */
  readonly phantom: PhantomTokens | undefined;
  /** Whether the next step's chips are to report their times. */
  readonly isTraced: () => boolean;
  readonly effects: Pick<CoordinatorEffects, 'command' | 'event' | 'nowMicros' | 'setAlarm'>;
  /** Called when a step was given up: the chips must join a new epoch before the next. */
  readonly failed: () => void;
}

/**
 * Times in a row that chips may disagree. More is no accident but an error in the program, which
 * computing the same once more would repeat for ever.
 */
const MAX_DIVERGENT_STEPS = 3;

/**
 * Turns the scheduler's decisions into step commands and the chips' reports into tokens, with one
 * step in flight.
 */
export class StepLoop {
  readonly #options: StepLoopOptions;
  /** Undefined while the chips are not all in one epoch. */
  #epoch: number | undefined;
  /** Chips of the epoch. */
  #ranks = 0;
  #collector: StepCollector | undefined;
  #step = 0;
  #firstReportMicros = 0;
  #divergentSteps = 0;
  /** When the step in flight may end, in host time. */
  #dueMicros = 0;
  /** Whether all is known of the step in flight, and only its deadline waited for. */
  #isHeld = false;

  constructor(options: StepLoopOptions) {
    this.#options = options;
  }

  get isStepInFlight(): boolean {
    return this.#collector !== undefined;
  }

  /** All chips have joined an epoch. */
  beginEpoch(epoch: number, ranks: number): void {
    this.#epoch = epoch;
    this.#ranks = ranks;
    this.#step = 0;
    this.pump();
  }

  /** Begins the next step if there is something to do and nothing in flight. */
  pump(): void {
    if (this.#epoch === undefined || this.#collector !== undefined) return;
    const { scheduler, effects } = this.#options;
    const beganMicros = effects.nowMicros();
    const scheduled = scheduler.schedule(beganMicros);
    if (scheduled !== undefined) this.#begin(scheduled, beganMicros);
    else this.#options.clock?.rest(beganMicros);
    // Not before: whoever submits a request on hearing of them finds a step in flight.
    this.#tellKvEvents();
  }

  /** Gives a step up that takes too long. */
  tick(): void {
    const collector = this.#collector;
    if (collector === undefined || this.#isHeld) return;
    const { effects, stepTimeoutMicros } = this.#options;
    if (effects.nowMicros() - collector.beganMicros <= stepTimeoutMicros) return;
    this.fail(
      `step ${collector.step} was not completed within ${stepTimeoutMicros / 1e6} s: no report from chip ${collector.silent.join(', ')}`,
    );
  }

  takeReport(report: StepReport): void {
    if (!this.#isCurrent(report)) return;
    const collector = this.#collector!;
    this.#firstReportMicros ||= this.#options.effects.nowMicros();
    const state = collector.addReport(report);
    if (state === 'complete') this.#hold();
    else if (state === 'divergent') this.#failDivergent(collector.problem);
    else if (state === 'unproven') {
      const { step, unproven } = collector;
      const { effects } = this.#options;
      effects.command({ kind: 'logits', epoch: this.#epoch!, step, samples: unproven });
    }
  }

  takeLogits(logits: Logits): void {
    if (!this.#isCurrent(logits)) return;
    const collector = this.#collector!;
    if (collector.addLogits(logits) === 'complete') this.#hold();
  }

  /** Ends the step in flight if only its deadline was waited for and has come. */
  alarm(): void {
    if (this.#isHeld) this.#hold();
  }

  /**
   * Gives up the step in flight and what the chips held: the requests' tokens so far are computed
   * anew in the next epoch, and their streams go on.
   */
  fail(message: string): void {
    const { scheduler, clock, effects, failed } = this.#options;
    this.#epoch = undefined;
    this.#collector = undefined;
    this.#isHeld = false;
    clock?.abandon(effects.nowMicros());
    scheduler.loseMemory();
    effects.event({ kind: 'stepFailed', message });
    this.#tellKvEvents();
    failed();
  }

  #begin(scheduled: ScheduledStep, beganMicros: number): void {
    const { clock, vocabSize, phantom } = this.#options;
    const ranks = this.#ranks;
    this.#dueMicros = clock?.begin(scheduled, beganMicros) ?? beganMicros;
    const step = ++this.#step;
    this.#firstReportMicros = 0;
    const place = { step, scheduled, ranks, beganMicros };
    this.#collector = new StepCollector({ ...place, vocabSize, phantom });
    this.#command(this.#epoch!, scheduled);
  }

  #command(epoch: number, { released, sequences }: ScheduledStep): void {
    this.#options.effects.command({
      kind: 'step',
      epoch,
      step: this.#step,
      released,
      traced: this.#options.isTraced(),
      sequences: sequences.map((scheduled) => this.#partOf(scheduled)),
    });
  }

  /** Completes the step in flight, of which all is known, or waits until it is due. */
  #hold(): void {
    const { effects } = this.#options;
    const waitMicros = this.#dueMicros - effects.nowMicros();
    this.#isHeld = waitMicros > 0;
    if (this.#isHeld) effects.setAlarm(waitMicros);
    else this.#complete(this.#collector!);
  }

  #partOf(scheduled: ScheduledSequence): StepSequence {
    const { sequence, sample } = scheduled;
    const isConstrained = sample && sequence.request.constraint !== undefined;
    const readsTokens = this.#options.phantom === undefined;
    const mask = isConstrained ? this.#maskOf(scheduled) : undefined;
    return stepSequence(scheduled, { mask, readsTokens });
  }

  /** Undefined where the sequence fails for it: the step goes on without it. */
  #maskOf({ sequence }: ScheduledSequence): TokenMask | undefined {
    const { grammars, scheduler, effects } = this.#options;
    try {
      return grammars?.maskOf(sequence);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      scheduler.cancel(sequence);
      const { message } = error;
      effects.event({ kind: 'requestFailed', sequence, message, isAtFault: true });
      return undefined;
    }
  }

  #isCurrent(report: StepReport | Logits): boolean {
    return (
      report.epoch === this.#epoch &&
      report.step === this.#collector?.step &&
      report.rank < this.#ranks
    );
  }

  #complete(collector: StepCollector): void {
    const { step, scheduled, toldPrompts, beganMicros } = collector;
    const { scheduler, clock, effects } = this.#options;
    this.#divergentSteps = 0;
    const now = effects.nowMicros();
    const priced = clock?.complete(now);
    const outputs = scheduler.complete(collector.drawn, now);
    for (const told of toldPrompts) {
      if (told.sequence.state !== 'cancelled') effects.event({ kind: 'promptLogprobs', ...told });
    }
    for (const { sequence, drawn, finishReason } of outputs) {
      // Whoever heard of a token before this one may have cancelled its sequence.
      if (sequence.state === 'cancelled') continue;
      const deviceTimes = clock?.draw(sequence);
      effects.event({ kind: 'token', sequence, drawn, finishReason, deviceTimes });
    }
    effects.event({
      kind: 'stepCompleted',
      epoch: this.#epoch!,
      step,
      tokens: scheduled.sequences.reduce((sum, { count }) => sum + count, 0),
      sequences: scheduled.sequences.length,
      parts: scheduled.sequences,
      beganMicros,
      durationMicros: now - beganMicros,
      skewMicros: now - this.#firstReportMicros,
      shape: priced?.shape,
      price: priced?.price,
      times: collector.times,
    });
    // Not before: whoever submits a request on hearing a token does not begin the next step.
    this.#collector = undefined;
    this.pump();
  }

  #failDivergent(message: string): void {
    const { scheduler, effects } = this.#options;
    if (++this.#divergentSteps >= MAX_DIVERGENT_STEPS) {
      this.#divergentSteps = 0;
      for (const sequence of scheduler.cancelAll()) {
        effects.event({ kind: 'requestFailed', sequence, message, isAtFault: false });
      }
    }
    this.fail(message);
  }

  #tellKvEvents(): void {
    const { scheduler, effects } = this.#options;
    const events = scheduler.takeKvEvents();
    if (events.length > 0) effects.event({ kind: 'kvEvents', events });
  }
}
