import type { ClientRequest } from './client-loop.ts';

/** A request of a workload, before anything happens to it. */
export interface PlannedRequest extends ClientRequest {
  readonly inputTokens: number;
  /** Generated to the last one: nothing stops earlier. */
  readonly outputTokens: number;
  /**
   * What the prompt says, as one number for every `TRACE_BLOCK_TOKENS` of it: equal numbers are equal
   * content. Undefined where nothing is known of it, so that no prompt shares anything with another.
   */
  readonly contentIds: readonly number[] | undefined;
}

/** Tokens that one content id stands for, as in the traces of Mooncake. */
export const TRACE_BLOCK_TOKENS = 512;
