import { Command, InvalidArgumentError as InvalidOptionError, type Option } from 'commander';
import {
  KV_CACHE_DTYPES,
  type KvCacheDtype,
  PRECISIONS,
  type Precision,
} from '../../core/model/precision.ts';
import { TENSOR_PARALLEL_DEGREES } from '../../core/model/shard-plan.ts';
import {
  CAPACITY_SCHEDULER_POLICIES,
  type CapacitySchedulerPolicy,
  SCHEDULING_POLICIES,
  type SchedulingPolicy,
} from '../../core/scheduler/options.ts';
import { choice, numberBetween, wholeNumber } from './option-values.ts';

/** How a cluster serves a model; the same names, in flag form, wherever a program takes them. */
export interface ServingOptions {
  readonly model: string;
  readonly tokenizer: string | undefined;
  readonly tp: number;
  readonly precision: Precision;
  readonly kvCacheDtype: KvCacheDtype;
  readonly blockSize: number;
  readonly numGpuBlocksOverride: number | undefined;
  readonly enablePrefixCaching: boolean;
  readonly maxModelLen: number | undefined;
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  readonly longPrefillTokenThreshold: number;
  readonly schedulingPolicy: SchedulingPolicy;
  readonly capacitySchedulerPolicy: CapacitySchedulerPolicy;
  readonly watermark: number;
  readonly maxNumQueuedReqs: number;
  readonly maxNumQueuedTokens: number | undefined;
  /** Seconds after which a step that some chip has not reported fails. */
  readonly stepTimeout: number;
}

/** Adds the serving options to a command, with their defaults. */
export function addServingOptions(command: Command): Command {
  return addSchedulerOptions(addModelOptions(command)).option(
    '--step-timeout <seconds>',
    'longest step',
    wholeNumber(1),
    30,
  );
}

function addModelOptions(command: Command): Command {
  return command
    .option('--model <name-or-path>', 'bundled name, directory or file', 'tinystories-5m')
    .option('--tokenizer <file>', 'tokenizer.json or llama2.c .bin (default: beside the model)')
    .addOption(choice('--tp <chips>', 'tensor-parallel degree', TENSOR_PARALLEL_DEGREES, 8))
    .addOption(choice('--precision <name>', 'arithmetic of the linear layers', PRECISIONS, 'fp8'))
    .addOption(choice('--kv-cache-dtype <name>', 'KV cache format', KV_CACHE_DTYPES, 'auto'))
    .option('--block-size <tokens>', 'tokens in a KV block, a multiple of 4', blockSize, 16)
    .option('--num-gpu-blocks-override <count>', 'at most so many KV blocks', wholeNumber(1))
    .option('--no-enable-prefix-caching', 'compute every prompt anew')
    .option('--max-model-len <tokens>', 'context length (default: the model’s)', wholeNumber(2));
}

function addSchedulerOptions(command: Command): Command {
  const [fcfs] = SCHEDULING_POLICIES;
  const [maxUtilization] = CAPACITY_SCHEDULER_POLICIES;
  return command
    .option('--max-num-seqs <count>', 'sequences in a step', wholeNumber(1), 256)
    .option('--max-num-batched-tokens <count>', 'tokens in a step', wholeNumber(1), 2048)
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
        'whether to preempt when KV blocks run out',
        CAPACITY_SCHEDULER_POLICIES,
        maxUtilization,
      ),
    )
    .option(
      '--watermark <fraction>',
      'part of the KV blocks that an admission leaves free',
      numberBetween(0, 0.99),
      0,
    )
    .option('--max-num-queued-reqs <count>', 'samples that may wait and run', wholeNumber(1), 4096)
    .option('--max-num-queued-tokens <count>', 'prompt tokens that may wait', wholeNumber(1));
}

const SERVING_OPTIONS: readonly Option[] = addServingOptions(new Command()).options;

/** The names of all serving options. */
export const SERVING_FIELDS = SERVING_OPTIONS.map((option) =>
  option.attributeName(),
) as readonly (keyof ServingOptions)[];

/** The serving options alone, of options that have others too. */
export function pickServing(options: ServingOptions): ServingOptions {
  const entries = SERVING_FIELDS.map((name) => [name, options[name]] as const);
  return Object.fromEntries(entries) as unknown as ServingOptions;
}

/** The flags that make another program serve in the same way. */
export function servingArguments(options: ServingOptions): string[] {
  return SERVING_OPTIONS.flatMap((option) => {
    const value = options[option.attributeName() as keyof ServingOptions];
    if (option.negate) return value === false ? [option.long!] : [];
    return value === undefined ? [] : [option.long!, String(value)];
  });
}

function blockSize(text: string): number {
  const value = wholeNumber(4)(text);
  if (value % 4 === 0) return value;
  throw new InvalidOptionError('It must be a multiple of 4.');
}
