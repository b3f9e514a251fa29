import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import {
  CAPACITY_SCHEDULER_POLICIES,
  type CapacitySchedulerPolicy,
  SCHEDULING_POLICIES,
  type SchedulerOptions,
} from '../../core/scheduler/options.ts';
import { choice, numberBetween, wholeNumber, withSchema } from './option-values.ts';

/**
 * How requests are scheduled, be it on chips or in a simulation: what of the scheduler's options
 * neither the model nor the memory decides.
 */
export interface SchedulingOptions
  extends Omit<
    SchedulerOptions,
    'kvBlocks' | 'stopTokenIds' | 'maxModelLen' | 'capacitySchedulerPolicy'
  > {
  /** Undefined is the model's own. */
  readonly maxModelLen: number | undefined;
  /** Undefined is the software's own where one is priced, and else the first. */
  readonly capacitySchedulerPolicy: CapacitySchedulerPolicy | undefined;
}

const fourOrMore = wholeNumber(4);

const blockSize = withSchema({ ...fourOrMore.schema, multipleOf: 4 }, (text: string) => {
  const value = fourOrMore(text);
  if (value % 4 === 0) return value;
  throw new InvalidOptionError('It must be a multiple of 4.');
});

/** Adds the options of the KV cache. */
export function addKvOptions(command: Command): Command {
  return command
    .option('--block-size <tokens>', 'tokens in a KV block, a multiple of 4', blockSize, 16)
    .option('--num-gpu-blocks-override <count>', 'at most so many KV blocks', wholeNumber(1))
    .option('--no-enable-prefix-caching', 'compute every prompt anew')
    .option('--max-model-len <tokens>', 'context length (default: the model’s)', wholeNumber(2));
}

/** Adds the options that say who computes when, and who has to wait. */
export function addPolicyOptions(
  command: Command,
  defaults: { readonly maxNumQueuedReqs: number },
): Command {
  const [fcfs] = SCHEDULING_POLICIES;
  const [maxUtilization] = CAPACITY_SCHEDULER_POLICIES;
  return command
    .option(
      '--long-prefill-token-threshold <tokens>',
      'tokens of one prompt in a step (0: no limit)',
      wholeNumber(0),
      0,
    )
    .addOption(choice('--scheduling-policy <name>', 'who comes first', SCHEDULING_POLICIES, fcfs))
    .addOption(
      choice(
        '--capacity-scheduler-policy <name>',
        `whether to preempt when KV blocks run out (default: ${maxUtilization}, or the priced software’s)`,
        CAPACITY_SCHEDULER_POLICIES,
      ),
    )
    .option(
      '--watermark <fraction>',
      'part of the KV blocks that an admission leaves free',
      numberBetween(0, 0.99),
      0,
    )
    .option(
      '--max-num-queued-reqs <count>',
      'samples that may wait and run',
      wholeNumber(1),
      defaults.maxNumQueuedReqs,
    )
    .option('--max-num-queued-tokens <count>', 'prompt tokens that may wait', wholeNumber(1));
}
