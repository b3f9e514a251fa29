import type { Metadata } from './metadata.ts';
import { invalidArgument } from './status.ts';

/** What a caller asks of one call besides its request. */
export interface CallOptions {
  /** Cancels the call when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Host time that the call may take; a stream has no limit of its own, a unary call 60 s. */
  readonly timeoutMs?: number | undefined;
  readonly metadata?: Metadata | undefined;
  /** The one server to call, by its id, where the method is addressable; any where it is absent. */
  readonly serverId?: string | undefined;
  /**
   * Called with the headers before the first message, or before a good end without messages; empty
   * where the handler set none.
   */
  readonly onHeader?: ((headers: Metadata) => void) | undefined;
  /** Called with the trailers when the server has ended the call, well or not. */
  readonly onTrailer?: ((trailers: Metadata) => void) | undefined;
}

/** The longest delay of a timer. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Refuses what no timer can wait for. */
export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined) return;
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw invalidArgument(
    `timeoutMs must be a whole number from 1 to ${MAX_TIMEOUT_MS}, not ${timeoutMs}`,
  );
}
