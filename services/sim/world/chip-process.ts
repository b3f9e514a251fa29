import { Chip } from '../../cluster/chip.ts';
import type { ChipEffects, SegmentWork } from '../../cluster/chip-effects.ts';
import type { Command, GroupSpec, Report } from '../../cluster/messages.ts';
import type { Destination, ShardFrame } from '../../core/collectives/frame.ts';
import { assert } from '../../core/support/errors.ts';
import { allRows, Shard } from '../../shard/shard.ts';
import type { DecodedFrame } from '../../wire/frame-codec.ts';
import { Process } from './process.ts';
import type { ShardInstance, ShardSource } from './shard-source.ts';
import type { Timeline } from './timeline.ts';
import type { WorldObserver } from './world-observer.ts';

export interface ChipProcessOptions {
  readonly seat: number;
  readonly pid: number;
  readonly timeline: Timeline;
  readonly shards: ShardSource;
  readonly observer: WorldObserver;
  readonly computeMicros: () => number;
  readonly loadMicros: () => number;
  /** Changes frames on their way into the chip. */
  readonly tamper: ((frame: ShardFrame, chip: Chip) => ShardFrame) | undefined;
  readonly report: (report: Report) => void;
  readonly sendFrame: (frame: ShardFrame, destination: Destination) => number;
}

/** A chip's state machine in virtual time, from its start to its end. */
export class ChipProcess {
  readonly chip: Chip;
  readonly #options: ChipProcessOptions;
  readonly #process = new Process();
  #shard: ShardInstance | undefined;
  /** How many times longer than normal its segments take. */
  slowness = 1;

  constructor(options: ChipProcessOptions) {
    this.#options = options;
    const { seat, pid } = options;
    this.chip = new Chip({ seat, pid, metricsAddress: '' }, this.#effects());
  }

  get state(): Process['state'] {
    return this.#process.state;
  }

  start(): void {
    this.chip.tick();
  }

  receiveCommand(command: Command): void {
    this.#process.handle(() => this.chip.receiveCommand(command));
  }

  receiveFrame(decoded: DecodedFrame): void {
    this.#process.handle(() => {
      const { chip } = this;
      const { tamper } = this.#options;
      if (decoded.kind === 'frame')
        chip.receiveFrame(tamper?.(decoded.frame, chip) ?? decoded.frame);
      else chip.meter.dropped(decoded.kind);
    });
  }

  hang(): void {
    this.#process.hang();
  }

  resume(): void {
    this.#process.resume();
  }

  kill(): void {
    this.#process.kill();
    if (this.#shard !== undefined) this.#options.shards.give(this.#shard);
    this.#shard = undefined;
  }

  #effects(): ChipEffects {
    const { report, sendFrame, timeline, observer, seat } = this.#options;
    return {
      report: (told) => {
        observer.reported?.(told, seat);
        report(told);
      },
      sendFrame,
      load: (spec, rank) => this.#load(spec, rank),
      compute: (work) => this.#compute(work),
      setTick: (delayMicros) => this.#later(delayMicros, () => this.chip.tick()),
      nowMicros: () => timeline.nowMicros,
    };
  }

  #load(spec: GroupSpec, rank: number): void {
    const { shards, loadMicros } = this.#options;
    this.#later(loadMicros(), () => {
      if (this.#shard !== undefined) shards.give(this.#shard);
      this.#shard = shards.take(spec, rank);
      this.chip.shardLoaded(this.#shard.loaded);
    });
  }

  #compute(work: SegmentWork): void {
    const { loaded, executor } = this.#shard!;
    assert(loaded.shard instanceof Shard, 'only where there is arithmetic are there segments');
    this.#options.observer.computing?.(work, this.chip, loaded.shard);
    executor.run(work.segment, work.layer, allRows(work.rows));
    const micros = this.#options.computeMicros() * this.slowness;
    this.#later(micros, () => this.chip.computed());
  }

  #later(delayMicros: number, action: () => void): void {
    this.#options.timeline.after(delayMicros, () => this.#process.handle(action));
  }
}
