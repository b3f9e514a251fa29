import type { ModelConfig } from '../../core/model/config.ts';
import {
  CAPACITY_SCHEDULER_POLICIES,
  type SchedulerOptions,
} from '../../core/scheduler/options.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { SchedulingOptions } from '../options/scheduling-options.ts';

/**
 * How a group schedules; the number of KV blocks is for the chips to say. Throws an
 * InvalidArgumentError where options contradict each other.
 */
export function schedulerOptions(
  options: SchedulingOptions,
  config: Pick<ModelConfig, 'maxPositions' | 'stopTokenIds'>,
): Omit<SchedulerOptions, 'kvBlocks'> {
  const { maxNumSeqs, maxNumBatchedTokens } = options;
  if (maxNumBatchedTokens < maxNumSeqs) {
    throw new InvalidArgumentError(
      `max_num_batched_tokens (${maxNumBatchedTokens}) must be at least max_num_seqs (${maxNumSeqs}): every running sequence needs a token in each step`,
    );
  }
  return {
    maxNumSeqs,
    maxNumBatchedTokens,
    longPrefillTokenThreshold: options.longPrefillTokenThreshold,
    schedulingPolicy: options.schedulingPolicy,
    capacitySchedulerPolicy: options.capacitySchedulerPolicy ?? CAPACITY_SCHEDULER_POLICIES[0],
    watermark: options.watermark,
    enablePrefixCaching: options.enablePrefixCaching,
    maxNumQueuedReqs: options.maxNumQueuedReqs,
    maxNumQueuedTokens: options.maxNumQueuedTokens,
    maxModelLen: Math.min(options.maxModelLen ?? config.maxPositions, config.maxPositions),
    blockSize: options.blockSize,
    stopTokenIds: config.stopTokenIds,
  };
}
