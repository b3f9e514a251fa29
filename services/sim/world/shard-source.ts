import type { LoadedShard } from '../../cluster/chip-effects.ts';
import type { GroupSpec } from '../../cluster/messages.ts';
import type { Range } from '../../core/model/shard-plan.ts';
import type { SegmentKind } from '../../core/model/step-plan.ts';

/** Executes segments on a shard's memory, with arithmetic or without. */
export interface SegmentExecutor {
  run(segment: SegmentKind, layer: number, rows: Range): void;
}

/** A chip's memory, and who computes on it. */
export interface ShardInstance {
  readonly loaded: LoadedShard;
  readonly executor: SegmentExecutor;
}

/** Where simulated chips get their shards: loading has no cost but virtual time. */
export interface ShardSource {
  /** A shard that no other chip uses. */
  take(spec: GroupSpec, rank: number): ShardInstance;
  /** Takes the shard of a chip that ended, or loaded another one. */
  give(instance: ShardInstance): void;
}
