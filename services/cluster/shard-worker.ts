import type { Destination, ShardFrame } from '../core/collectives/frame.ts';
import { assert } from '../core/support/errors.ts';
import type { ChipEffects, LoadedShard, SegmentWork } from './chip-effects.ts';
import type { ChipMeter } from './chip-meter.ts';
import { type DropReason, ExchangeRunner } from './exchange-runner.ts';
import { ExchangeTimer } from './exchange-timer.ts';
import type { LogitsRequest, StepCommand } from './messages.ts';
import { programOf } from './program-of.ts';
import type { ShardProgram } from './shard-program.ts';
import type { StepFault } from './step-check.ts';
import { StepRunner } from './step-runner.ts';

export interface ShardWorkerOptions {
  readonly loaded: LoadedShard;
  readonly meter: ChipMeter;
  readonly effects: Pick<ChipEffects, 'report' | 'compute' | 'nowMicros'>;
  /** Sends a frame to the chip of a rank, or to all. */
  readonly send: (frame: ShardFrame, destination: Destination) => void;
}

/** Executes the steps of a group's epochs on a loaded shard, one at a time. */
export class ShardWorker {
  readonly loaded: LoadedShard;
  readonly #options: ShardWorkerOptions;
  readonly #program: ShardProgram;
  readonly #exchanges: ExchangeRunner;
  #epoch = 0;
  /** The step that is being executed. */
  #step: StepRunner | undefined;
  /** Number of the last complete step, whose logits are still in memory; 0 where there is none. */
  #lastStep = 0;
  #computing = false;
  #exchangesBegunAtTick = 0;

  constructor(options: ShardWorkerOptions) {
    const { loaded, send } = options;
    this.loaded = loaded;
    this.#options = options;
    this.#program = programOf(loaded);
    this.#exchanges = new ExchangeRunner({
      rank: this.rank,
      ranks: this.#program.ranks,
      send,
      finished: () => this.#stageFinished(),
      timer: new ExchangeTimer(
        () => options.effects.nowMicros(),
        (times) => options.meter.exchanged(times),
      ),
    });
  }

  get rank(): number {
    return this.#program.rank;
  }

  /** Whether the memory is in use until `computed`. */
  get isComputing(): boolean {
    return this.#computing;
  }

  /** The step that is being executed. */
  get command(): StepCommand | undefined {
    return this.#step?.command;
  }

  /** Bytes of frames that are held for exchanges to come. */
  get heldBytes(): number {
    return this.#exchanges.heldBytes;
  }

  /** Gives up what was being executed, and forgets all sequences. */
  beginEpoch(epoch: number): void {
    assert(!this.#computing, 'an epoch begins when the memory is free');
    this.#epoch = epoch;
    this.#step = undefined;
    this.#lastStep = 0;
    this.#program.clear();
    this.#exchanges.beginEpoch(epoch);
  }

  /** Asks peers for frames that do not come; called from time to time. */
  tick(): void {
    // Not for one begun since the last tick: its frames may lie unread behind a long segment.
    if (this.#exchanges.begun === this.#exchangesBegunAtTick) this.#exchanges.requestMissing();
    this.#exchangesBegunAtTick = this.#exchanges.begun;
  }

  /** Takes a frame from a peer; returns the reason where it is not used. */
  receiveFrame(frame: ShardFrame): DropReason | undefined {
    return this.#exchanges.receive(frame);
  }

  beginStep(command: StepCommand): void {
    const { meter, effects } = this.#options;
    const fault = this.#faultOf(command);
    if (fault !== undefined) {
      meter.refused(fault);
      return;
    }
    const tokens = command.sequences.reduce((sum, { count }) => sum + count, 0);
    meter.stepBegan(effects.nowMicros(), tokens);
    this.#exchanges.beginStep(command.step);
    this.#step = new StepRunner({
      command,
      program: this.#program.begin(command),
      exchanges: this.#exchanges,
      compute: (work) => this.#compute(work),
    });
    this.#step.advance();
    this.#reportIfDone();
  }

  /** The segment that was given to `effects.compute` is executed. */
  computed(): void {
    const { meter, effects } = this.#options;
    assert(this.#computing, 'a segment was being computed');
    this.#computing = false;
    meter.computeEnded(effects.nowMicros());
  }

  /** Goes on after `computed`, unless an epoch began in between. */
  goOn(): void {
    this.#stageFinished();
  }

  sendLogits({ step, samples }: LogitsRequest): void {
    if (this.#lastStep !== step) return;
    for (const sample of samples) {
      const row = this.#program.rowOf(sample);
      if (row === undefined) continue;
      const identity = { rank: this.rank, epoch: this.#epoch, step, sample };
      this.#options.effects.report({ kind: 'shardLogits', ...identity, ...row });
    }
  }

  /** Why the chip does not take a command, though it is well-formed. */
  #faultOf(command: StepCommand): StepFault | undefined {
    if (this.#step !== undefined || command.step <= this.#lastStep) return 'order';
    return this.#program.faultOf(command);
  }

  #compute(work: SegmentWork): void {
    const { meter, effects } = this.#options;
    this.#computing = true;
    meter.computeBegan(effects.nowMicros(), work);
    effects.compute(work);
  }

  #stageFinished(): void {
    this.#step?.stageFinished();
    this.#reportIfDone();
  }

  #reportIfDone(): void {
    const step = this.#step;
    if (step === undefined || !step.done) return;
    const { meter, effects } = this.#options;
    this.#step = undefined;
    this.#lastStep = step.command.step;
    meter.computeBegan(effects.nowMicros(), { segment: 'sample', layer: 0 });
    const result = step.result();
    const now = effects.nowMicros();
    meter.computeEnded(now);
    meter.stepEnded(now);
    const identity = { rank: this.rank, epoch: this.#epoch, step: step.command.step };
    const { counters } = meter;
    const times = step.command.traced ? meter.lastStep : undefined;
    effects.report({ kind: 'report', ...identity, ...result, counters, times });
  }
}
