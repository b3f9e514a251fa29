import { chunkOf, countChunks } from './chunks.ts';
import type { Destination, Outgoing } from './frame.ts';

/** All chunks of `data`, for one receiver or for all. */
export function sendAll(
  data: Uint8Array,
  kind: Outgoing['kind'],
  destination: Destination,
): Outgoing[] {
  return Array.from({ length: countChunks(data.length) }, (_, chunk) => ({
    destination,
    kind,
    chunk,
    payload: chunkOf(data, chunk),
  }));
}

/** One chunk of `data` once more; undefined where there is no such chunk. */
export function sendAgain(
  data: Uint8Array,
  which: Pick<Outgoing, 'kind' | 'chunk' | 'destination'>,
): Outgoing | undefined {
  if (which.chunk >= countChunks(data.length)) return undefined;
  return { ...which, payload: chunkOf(data, which.chunk) };
}
