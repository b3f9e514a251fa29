import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';

/** A line for the log; undefined for what happens in every step. */
export function describeEvent(event: CoordinatorEvent): string | undefined {
  switch (event.kind) {
    case 'loading':
      return event.loaded === event.total ? `chip ${event.rank} has its shard` : undefined;
    case 'ready':
      return `serving in epoch ${event.epoch} with ${event.kvBlocks} KV blocks`;
    case 'refused':
      return `chip ${event.rank} refuses: ${event.message}`;
    case 'restored':
      return `${event.sequences.length} samples of an earlier coordinator go on`;
    case 'requestFailed':
      return `a request failed: ${event.message}`;
    case 'stepFailed':
      return `a step failed and is computed anew: ${event.message}`;
    default:
      return undefined;
  }
}
