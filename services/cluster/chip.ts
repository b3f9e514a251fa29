import type { Destination, ShardFrame } from '../core/collectives/frame.ts';
import { Staging } from '../core/collectives/staging.ts';
import { digestFloats } from '../core/support/digest.ts';
import { assert } from '../core/support/errors.ts';
import type { ChipEffects, LoadedShard, SegmentWork } from './chip-effects.ts';
import { ChipMeter } from './chip-meter.ts';
import { ChipSequences } from './chip-sequences.ts';
import { ExchangeRunner } from './exchange-runner.ts';
import type {
  Command,
  GroupSpec,
  Join,
  LoadProgress,
  LogitsRequest,
  StepCommand,
} from './messages.ts';
import { ShardSampler } from './shard-sampler.ts';
import { checkStep, type StepFault } from './step-check.ts';
import { StepRunner } from './step-runner.ts';

/** How often a chip offers itself while it has to, and asks again for frames that it waits for. */
const TICK_MICROS = 100_000;
/** A coordinator that is not heard for so long may be gone: the chip offers itself to the next. */
const LEASE_MICROS = 1_000_000;

/** What a chip says of itself when it offers itself. */
export interface ChipIdentity {
  /** Where the chip is; which rank it has is up to the group that it joins. */
  readonly seat: number;
  readonly pid: number;
  /** host:port of its metrics; empty where there are none. */
  readonly metricsAddress: string;
}

/** Which shard of a group a chip has or should have. */
interface Place {
  readonly spec: GroupSpec;
  readonly rank: number;
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
  #epoch = 0;
  /** What the chip is in its group; undefined where it belongs to none. */
  #place: Place | undefined;
  /** The seats of the group, by rank. */
  #seats: readonly number[] = [];
  /** What is being loaded, or was loaded last. */
  #shardOf: Place | undefined;
  #loading: LoadProgress | undefined;
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
  #heardMicros = 0;
  /** Whether the coordinator was heard to be in another epoch, since the last tick. */
  #isInOtherEpoch = false;

  constructor(identity: ChipIdentity, effects: ChipEffects) {
    this.#identity = identity;
    this.#effects = effects;
  }

  /** The last epoch that the chip joined; 0 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The step that is being executed. */
  get command(): StepCommand | undefined {
    return this.#step?.command;
  }

  /** Bytes of frames that are held for exchanges to come. */
  get heldBytes(): number {
    return this.#exchanges?.heldBytes ?? 0;
  }

  /** What the chip holds, once it does. */
  get loaded(): LoadedShard | undefined {
    return this.#loaded;
  }

  /** Offers itself where it belongs to nobody; else asks peers for frames that do not come. */
  tick(): void {
    this.#effects.setTick(TICK_MICROS);
    const isLost = this.#effects.nowMicros() - this.#heardMicros > LEASE_MICROS;
    if (this.#place === undefined || isLost || this.#isInOtherEpoch) this.#offer();
    this.#isInOtherEpoch = false;
    // Not for one begun since the last tick: its frames may lie unread behind a long segment.
    if (this.#exchanges?.begun === this.#exchangesBegunAtTick) this.#exchanges.requestMissing();
    this.#exchangesBegunAtTick = this.#exchanges?.begun ?? 0;
  }

  receiveCommand(command: Command): void {
    this.#heardMicros = this.#effects.nowMicros();
    if (command.kind === 'join') this.#join(command);
    else if (command.epoch !== this.#epoch) this.#isInOtherEpoch ||= command.kind === 'heartbeat';
    else if (this.#place === undefined || this.#loaded === undefined) return;
    else if (command.kind === 'step') this.#beginStep(command);
    else if (command.kind === 'logits') this.#sendLogits(command);
  }

  receiveFrame(frame: ShardFrame): void {
    const reason = this.#exchanges === undefined ? 'stale' : this.#exchanges.receive(frame);
    if (reason !== undefined) this.meter.dropped(reason);
  }

  shardLoading(loaded: number, total: number): void {
    const { rank } = this.#shardOf!;
    this.#loading = { kind: 'progress', rank, loaded, total };
    this.#effects.report(this.#loading);
  }

  shardLoaded(loaded: LoadedShard): void {
    this.#loading = undefined;
    this.#loaded = loaded;
    this.#sequences = new ChipSequences(loaded.shard.layout.plan.tokens);
    this.#sampler = new ShardSampler(loaded.shard, this.#sequences);
    this.#exchanges = new ExchangeRunner({
      rank: this.#shardOf!.rank,
      ranks: loaded.shard.layout.plan.tensorParallel,
      send: (frame, destination) => this.#send(frame, destination),
      finished: () => this.#stageFinished(),
    });
    this.#takePlace();
  }

  shardRefused(message: string): void {
    this.#loading = undefined;
    this.#effects.report({ kind: 'refused', rank: this.#shardOf!.rank, message });
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

  #offer(): void {
    this.#effects.report({ kind: 'hello', ...this.#identity, epoch: this.#epoch });
  }

  #join(join: Join): void {
    // A coordinator that started anew does not know of the chip's epoch.
    if (join.epoch < this.#epoch) this.#isInOtherEpoch = true;
    else if (join.epoch === this.#epoch) this.#answerAgain();
    else if (this.#computing) {
      this.#deferredJoin = join; // the memory is in use until the segment is done
    } else {
      const rank = join.seats.indexOf(this.#identity.seat);
      this.#epoch = join.epoch;
      this.#seats = join.seats;
      this.#place = rank < 0 ? undefined : { spec: join.spec, rank };
      if (this.#loading === undefined) this.#takePlace();
    }
  }

  /** Begins the epoch with the shard that the place in the group takes, or loads that. */
  #takePlace(): void {
    this.#step = undefined;
    this.#lastStep = 0;
    this.#sequences?.clear();
    this.#sampler?.clear();
    this.#exchanges?.beginEpoch(this.#epoch);
    const place = this.#place;
    if (place === undefined) return;
    if (this.#loaded === undefined || !isSamePlace(place, this.#shardOf!)) this.#load(place);
    else this.#reportReady(this.#loaded, place.rank);
  }

  #load(place: Place): void {
    this.#loaded = undefined;
    this.#exchanges = undefined;
    this.#shardOf = place;
    this.#loading = { kind: 'progress', rank: place.rank, loaded: 0, total: 1 };
    this.#effects.load(place.spec, place.rank);
  }

  /** The last answer to a join was lost, or the coordinator wants to know whether the chip lives. */
  #answerAgain(): void {
    if (this.#place === undefined) return;
    if (this.#loading !== undefined) this.#effects.report(this.#loading);
    else if (this.#loaded !== undefined) this.#reportReady(this.#loaded, this.#place.rank);
  }

  #reportReady({ shard: _, ...sizes }: LoadedShard, rank: number): void {
    this.#effects.report({ kind: 'ready', rank, epoch: this.#epoch, ...sizes });
  }

  #send(frame: ShardFrame, destination: Destination): void {
    const seat = destination === 'all' ? 'all' : this.#seats[destination]!;
    this.meter.sent(this.#effects.sendFrame(frame, seat));
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
    const identity = { rank: this.#place!.rank, epoch: this.#epoch, step: index };
    this.#effects.report({ kind: 'report', ...identity, digest, samples, counters });
  }

  #sendLogits({ step, samples }: LogitsRequest): void {
    if (this.#lastStep !== step) return;
    for (const sample of samples) {
      const row = this.#sampler!.rowOf(sample);
      if (row === undefined) continue;
      const identity = { rank: this.#place!.rank, epoch: this.#epoch, step, sample };
      this.#effects.report({ kind: 'shardLogits', ...identity, ...row });
    }
  }
}

/** Whether two places take the same shard; a group may have said the same in another message. */
function isSamePlace(a: Place, b: Place): boolean {
  const keys = Object.keys(a.spec) as (keyof GroupSpec)[];
  return a.rank === b.rank && keys.every((key) => a.spec[key] === b.spec[key]);
}
