import { setTimeout as delay } from 'node:timers/promises';

/** Host time, replaced in tests. */
export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  /** Resolves after so many milliseconds, or as soon as the signal fires. */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

export const HOST_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    // The only rejection is the signal's.
    await delay(milliseconds, undefined, signal && { signal }).catch(() => {});
  },
};
