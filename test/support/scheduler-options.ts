import type { SchedulerOptions } from '../../services/core/scheduler/options.ts';

/** Limits and policies with the given fields; the others are wide, plain and as by default. */
export function makeSchedulerOptions(given: Partial<SchedulerOptions> = {}): SchedulerOptions {
  return {
    maxNumSeqs: 64,
    maxNumBatchedTokens: 1024,
    longPrefillTokenThreshold: 0,
    schedulingPolicy: 'fcfs',
    capacitySchedulerPolicy: 'max_utilization',
    watermark: 0,
    enablePrefixCaching: true,
    maxNumQueuedReqs: 1024,
    maxNumQueuedTokens: undefined,
    maxModelLen: 1024,
    blockSize: 16,
    kvBlocks: 2048,
    stopTokenIds: [],
    ...given,
  };
}
