import type { Destination, ShardFrame } from '../core/collectives/frame.ts';
import { assert } from '../core/support/errors.ts';
import type { ChipEffects, LoadedShard } from './chip-effects.ts';
import { ChipMeter } from './chip-meter.ts';
import type { Command, GroupSpec, Join, LoadProgress, StepCommand } from './messages.ts';
import { ShardWorker } from './shard-worker.ts';

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
  #epoch = 0;
  /** What the chip is in its group; undefined where it belongs to none. */
  #place: Place | undefined;
  /** The seats of the group, by rank. */
  #seats: readonly number[] = [];
  /** What is being loaded, or was loaded last. */
  #shardOf: Place | undefined;
  #loading: LoadProgress | undefined;
  #worker: ShardWorker | undefined;
  #deferredJoin: Join | undefined;
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
    return this.#worker?.command;
  }

  /** Bytes of frames that are held for exchanges to come. */
  get heldBytes(): number {
    return this.#worker?.heldBytes ?? 0;
  }

  /** What the chip holds, once it does. */
  get loaded(): LoadedShard | undefined {
    return this.#worker?.loaded;
  }

  /** Offers itself where it belongs to nobody; else asks peers for frames that do not come. */
  tick(): void {
    this.#effects.setTick(TICK_MICROS);
    const isLost = this.#effects.nowMicros() - this.#heardMicros > LEASE_MICROS;
    if (this.#place === undefined || isLost || this.#isInOtherEpoch) {
      this.#effects.report({ kind: 'hello', ...this.#identity, epoch: this.#epoch });
    }
    this.#isInOtherEpoch = false;
    this.#worker?.tick();
  }

  receiveCommand(command: Command): void {
    this.#heardMicros = this.#effects.nowMicros();
    if (command.kind === 'join') this.#join(command);
    else if (command.epoch !== this.#epoch) this.#isInOtherEpoch ||= command.kind === 'heartbeat';
    else if (this.#place === undefined) return;
    else if (command.kind === 'step') this.#worker?.beginStep(command);
    else if (command.kind === 'logits') this.#worker?.sendLogits(command);
  }

  receiveFrame(frame: ShardFrame): void {
    this.meter.received(frame.modelledBytes);
    const reason = this.#worker === undefined ? 'stale' : this.#worker.receiveFrame(frame);
    if (reason !== undefined) this.meter.dropped(reason);
  }

  shardLoading(loaded: number, total: number): void {
    const { rank } = this.#shardOf!;
    this.#loading = { kind: 'progress', rank, loaded, total };
    this.#effects.report(this.#loading);
  }

  shardLoaded(loaded: LoadedShard): void {
    this.#loading = undefined;
    this.#worker = new ShardWorker({
      loaded,
      meter: this.meter,
      effects: this.#effects,
      send: (frame, destination) => this.#send(frame, destination),
    });
    this.#takePlace();
  }

  shardRefused(message: string): void {
    this.#loading = undefined;
    this.#effects.report({ kind: 'refused', rank: this.#shardOf!.rank, message });
  }

  /** The segment that was given to `effects.compute` is executed. */
  computed(): void {
    assert(this.#worker !== undefined, 'a shard was being computed on');
    this.#worker.computed();
    const join = this.#deferredJoin;
    this.#deferredJoin = undefined;
    if (join !== undefined) this.#join(join);
    else this.#worker.goOn();
  }

  #join(join: Join): void {
    // A coordinator that started anew does not know of the chip's epoch.
    if (join.epoch < this.#epoch) this.#isInOtherEpoch = true;
    else if (join.epoch === this.#epoch) this.#answerAgain();
    else if (this.#worker?.isComputing) {
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
    this.#worker?.beginEpoch(this.#epoch);
    const place = this.#place;
    if (place === undefined) return;
    if (this.#worker === undefined || !isSamePlace(place, this.#shardOf!)) this.#load(place);
    else this.#reportReady(this.#worker);
  }

  #load(place: Place): void {
    this.#worker = undefined;
    this.#shardOf = place;
    this.#loading = { kind: 'progress', rank: place.rank, loaded: 0, total: 1 };
    this.#effects.load(place.spec, place.rank);
  }

  /** The last answer to a join was lost, or the coordinator wants to know whether the chip lives. */
  #answerAgain(): void {
    if (this.#place === undefined) return;
    if (this.#loading !== undefined) this.#effects.report(this.#loading);
    else if (this.#worker !== undefined) this.#reportReady(this.#worker);
  }

  #reportReady({ rank, loaded: { shard: _, hbmBytes: _hbm, ...sizes } }: ShardWorker): void {
    this.#effects.report({ kind: 'ready', rank, epoch: this.#epoch, ...sizes });
  }

  #send(frame: ShardFrame, destination: Destination): void {
    const seat = destination === 'all' ? 'all' : this.#seats[destination]!;
    this.meter.sent(this.#effects.sendFrame(frame, seat) + frame.modelledBytes);
  }
}

/** Whether two places take the same shard; a group may have said the same in another message. */
function isSamePlace(a: Place, b: Place): boolean {
  const keys = Object.keys(a.spec) as (keyof GroupSpec)[];
  const isEqual = (key: keyof GroupSpec): boolean =>
    JSON.stringify(a.spec[key]) === JSON.stringify(b.spec[key]);
  return a.rank === b.rank && keys.every(isEqual);
}
