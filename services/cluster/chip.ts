import type { ShardFrame } from '../core/collectives/frame.ts';
import { Staging } from '../core/collectives/staging.ts';
import { digestFloats } from '../core/support/digest.ts';
import { assert } from '../core/support/errors.ts';
import type { ChipEffects, LoadedShard, SegmentWork } from './chip-effects.ts';
import { ChipMeter } from './chip-meter.ts';
import { ChipSequences } from './chip-sequences.ts';
import { ExchangeRunner } from './exchange-runner.ts';
import type { Command, GroupSpec, Join, LogitsRequest, StepCommand } from './messages.ts';
import { ShardSampler } from './shard-sampler.ts';
import { checkStep, type StepFault } from './step-check.ts';
import { StepRunner } from './step-runner.ts';

/** How often a chip offers itself until it joins, and asks again for frames that it waits for. */
const TICK_MICROS = 100_000;

/** What a chip says of itself when it offers itself. */
export interface ChipIdentity {
  readonly rank: number;
  readonly pid: number;
  /** host:port of its metrics; empty where there are none. */
  readonly metricsAddress: string;
}

/**
 * One simulated chip: joins a group, holds a shard, executes steps, takes part in their exchanges,
 * samples its part of the vocabulary. A synchronous state machine: whatever it does to the world
 * goes through its effects.
 */
export class Chip {
  readonly meter = new ChipMeter();
  readonly #identity: ChipIdentity;
  readonly #effects: ChipEffects;
  readonly #staging = new Staging();
  #spec: GroupSpec | undefined;
  #epoch = 0;
  #loaded: LoadedShard | undefined;
  #sequences: ChipSequences | undefined;
  #sampler: ShardSampler | undefined;
  #exchanges: ExchangeRunner | undefined;
  /** The step that is being executed. */
  #step: StepRunner | undefined;
  /** Number of the last complete step, whose logits are still in memory; 0 where there is none. */
  #lastStep = 0;
  #computing = false;
  #deferredJoin: Join | undefined;
  #exchangesBegunAtTick = 0;

  constructor(identity: ChipIdentity, effects: ChipEffects) {
    this.#identity = identity;
    this.#effects = effects;
  }

  get rank(): number {
    return this.#identity.rank;
  }

  /** What the chip holds, once it does. */
  get loaded(): LoadedShard | undefined {
    return this.#loaded;
  }

  /** Offers itself until it has joined; later asks peers for frames that do not come. */
  tick(): void {
    this.#effects.setTick(TICK_MICROS);
    if (this.#spec === undefined) {
      this.#effects.report({ kind: 'hello', ...this.#identity });
    } else if (this.#exchanges?.begun === this.#exchangesBegunAtTick) {
      // Not for one begun since the last tick: its frames may lie unread behind a long segment.
      this.#exchanges.requestMissing();
    }
    this.#exchangesBegunAtTick = this.#exchanges?.begun ?? 0;
  }

  receiveCommand(command: Command): void {
    if (command.kind === 'join') this.#join(command);
    else if (command.epoch !== this.#epoch || this.#loaded === undefined) return;
    else if (command.kind === 'step') this.#beginStep(command);
    else this.#sendLogits(command);
  }

  receiveFrame(frame: ShardFrame): void {
    const reason = this.#exchanges === undefined ? 'stale' : this.#exchanges.receive(frame);
    if (reason !== undefined) this.meter.dropped(reason);
  }

  shardLoading(loaded: number, total: number): void {
    this.#effects.report({ kind: 'progress', rank: this.rank, loaded, total });
  }

  shardLoaded(loaded: LoadedShard): void {
    this.#loaded = loaded;
    this.#sequences = new ChipSequences(loaded.shard.layout.plan.tokens);
    this.#sampler = new ShardSampler(loaded.shard, this.#sequences);
    this.#exchanges = new ExchangeRunner({
      rank: this.rank,
      ranks: loaded.shard.layout.plan.tensorParallel,
      send: (frame, destination) => this.meter.sent(this.#effects.sendFrame(frame, destination)),
      finished: () => this.#stageFinished(),
    });
    this.#beginEpoch(loaded);
  }

  shardRefused(message: string): void {
    this.#effects.report({ kind: 'refused', rank: this.rank, message });
  }

  /** The segment that was given to `effects.compute` is executed. */
  computed(): void {
    assert(this.#computing, 'a segment was being computed');
    this.#computing = false;
    this.meter.computeEnded(this.#effects.nowMicros());
    const join = this.#deferredJoin;
    this.#deferredJoin = undefined;
    if (join !== undefined) this.#join(join);
    else this.#stageFinished();
  }

  #join(join: Join): void {
    if (join.epoch < this.#epoch) return;
    if (join.epoch === this.#epoch) {
      if (this.#loaded !== undefined) this.#reportReady(this.#loaded); // the first one was lost
      return;
    }
    if (this.#computing) {
      this.#deferredJoin = join; // the memory is in use until the segment is done
      return;
    }
    this.#epoch = join.epoch;
    if (this.#spec === undefined) {
      this.#spec = join.spec;
      this.#effects.load(join.spec, this.rank);
    } else if (this.#loaded !== undefined) {
      this.#beginEpoch(this.#loaded);
    }
  }

  #beginEpoch(loaded: LoadedShard): void {
    this.#step = undefined;
    this.#lastStep = 0;
    this.#sequences!.clear();
    this.#sampler!.clear();
    this.#exchanges!.beginEpoch(this.#epoch);
    this.#reportReady(loaded);
  }

  #reportReady({ shard: _, ...sizes }: LoadedShard): void {
    this.#effects.report({ kind: 'ready', rank: this.rank, epoch: this.#epoch, ...sizes });
  }

  #beginStep(command: StepCommand): void {
    const fault = this.#faultOf(command);
    if (fault !== undefined) {
      this.meter.refused(fault);
      return;
    }
    const tokens = command.sequences.reduce((sum, sequence) => sum + sequence.tokens.length, 0);
    this.meter.stepBegan(this.#effects.nowMicros(), tokens);
    this.#sequences!.update(command);
    this.#sampler!.clear();
    this.#exchanges!.beginStep(command.step);
    this.#step = new StepRunner({
      command,
      shard: this.#loaded!.shard,
      sequences: this.#sequences!,
      exchanges: this.#exchanges!,
      staging: this.#staging,
      compute: (work) => this.#compute(work),
    });
    this.#step.advance();
    this.#reportIfDone();
  }

  /** Why the chip does not take a command, though it is well-formed. */
  #faultOf(command: StepCommand): StepFault | undefined {
    if (this.#step !== undefined || command.step <= this.#lastStep) return 'order';
    return checkStep(command, this.#sequences!, this.#loaded!.shard.layout);
  }

  #compute(work: SegmentWork): void {
    this.#computing = true;
    this.meter.computeBegan(this.#effects.nowMicros());
    this.#effects.compute(work);
  }

  #stageFinished(): void {
    this.#step?.stageFinished();
    this.#reportIfDone();
  }

  #reportIfDone(): void {
    const step = this.#step;
    if (step === undefined || !step.done) return;
    this.#step = undefined;
    this.#lastStep = step.command.step;
    this.meter.computeBegan(this.#effects.nowMicros());
    const samples = this.#sampler!.sampleStep(step.command);
    const digest = digestFloats(step.hidden);
    const now = this.#effects.nowMicros();
    this.meter.computeEnded(now);
    this.meter.stepEnded(now);
    const { step: index } = step.command;
    const { counters } = this.meter;
    const identity = { rank: this.rank, epoch: this.#epoch, step: index };
    this.#effects.report({ kind: 'report', ...identity, digest, samples, counters });
  }

  #sendLogits({ step, samples }: LogitsRequest): void {
    if (this.#lastStep !== step) return;
    for (const sample of samples) {
      const row = this.#sampler!.rowOf(sample);
      if (row === undefined) continue;
      const identity = { rank: this.rank, epoch: this.#epoch, step, sample };
      this.#effects.report({ kind: 'shardLogits', ...identity, ...row });
    }
  }
}
