import type { Destination, ShardFrame } from '../core/collectives/frame.ts';
import type { SegmentKind } from '../core/model/step-plan.ts';
import type { Shard } from '../shard/shard.ts';
import type { GroupSpec, Report } from './messages.ts';
import type { PhantomShard } from './phantom-shard.ts';

/** A segment to execute, over all `rows` of the step (for `head`: sampled rows). */
export interface SegmentWork {
  readonly segment: SegmentKind;
  readonly layer: number;
  readonly rows: number;
}

/** A shard, and what it occupies. */
export interface LoadedShard<S extends Shard | PhantomShard = Shard | PhantomShard> {
  readonly shard: S;
  readonly kvBlocks: number;
  /** Of the modelled chip. */
  readonly hbmBytes: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly kvBytesPerBlock: number;
}

/** Everything that a chip does to the world outside. */
export interface ChipEffects {
  report(report: Report): void;
  /**
   * Sends a frame to the chip in a seat, or to all; its payload may be reused after the call.
   * Returns the bytes that went out.
   */
  sendFrame(frame: ShardFrame, seat: Destination): number;
  /**
   * Loads a shard in the place of the one before; answers with `Chip.shardLoaded` or
   * `Chip.shardRefused`. The next one is loaded only after that.
   */
  load(spec: GroupSpec, rank: number): void;
  /**
   * Executes a segment on the loaded shard; answers with `Chip.computed`, perhaps before it
   * returns.
   */
  compute(work: SegmentWork): void;
  /** Calls `Chip.tick` once after the delay. */
  setTick(delayMicros: number): void;
  /** A clock that never goes back. */
  nowMicros(): number;
}
