/** In which order waiting requests are admitted, and which running one gives way first. */
export const SCHEDULING_POLICIES = ['fcfs', 'priority', 'fair'] as const;
export type SchedulingPolicy = (typeof SCHEDULING_POLICIES)[number];

/**
 * Whether a request is admitted when blocks for its next tokens are free, and may be preempted, or
 * only when blocks for its longest course are. Named as TensorRT-LLM names them.
 */
export const CAPACITY_SCHEDULER_POLICIES = ['max_utilization', 'guaranteed_no_evict'] as const;
export type CapacitySchedulerPolicy = (typeof CAPACITY_SCHEDULER_POLICIES)[number];

/** Limits and policies of a scheduler, named as vLLM's flags. */
export interface SchedulerOptions {
  readonly maxNumSeqs: number;
  /** Token budget of one step. */
  readonly maxNumBatchedTokens: number;
  /** Tokens of one sequence in one step at the most; 0 is no limit. */
  readonly longPrefillTokenThreshold: number;
  readonly schedulingPolicy: SchedulingPolicy;
  readonly capacitySchedulerPolicy: CapacitySchedulerPolicy;
  /** Part of the KV blocks that an admission leaves free while others run, in [0, 1). */
  readonly watermark: number;
  readonly enablePrefixCaching: boolean;
  /** Samples that may wait and run at the most. */
  readonly maxNumQueuedReqs: number;
  /** Prompt tokens that may be waiting to be computed; undefined is no limit. */
  readonly maxNumQueuedTokens: number | undefined;
  readonly maxModelLen: number;
  readonly blockSize: number;
  readonly kvBlocks: number;
  /** The model's own. */
  readonly stopTokenIds: readonly number[];
}
