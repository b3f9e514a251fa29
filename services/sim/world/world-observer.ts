import type { Chip } from '../../cluster/chip.ts';
import type { SegmentWork } from '../../cluster/chip-effects.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { Command, Report } from '../../cluster/messages.ts';
import type { Shard } from '../../shard/shard.ts';

/** Sees what happens in a world; whatever it throws ends the run. */
export interface WorldObserver {
  /** The coordinator sends a command. */
  readonly commanded?: (command: Command) => void;
  /** A chip sends a report. */
  readonly reported?: (report: Report, seat: number) => void;
  /** A chip begins to compute a segment; its activations are those after the exchange before. */
  readonly computing?: (work: SegmentWork, chip: Chip, shard: Shard) => void;
  /** The coordinator has ended, and its sequences with it. */
  readonly coordinatorEnded?: () => void;
  /** The coordinator tells of something. */
  readonly told?: (event: CoordinatorEvent) => void;
}
