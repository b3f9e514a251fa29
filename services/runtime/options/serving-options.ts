import { type Command, InvalidArgumentError as InvalidOptionError, Option } from 'commander';
import {
  KV_CACHE_DTYPES,
  type KvCacheDtype,
  PRECISIONS,
  type Precision,
} from '../../core/model/precision.ts';
import { TENSOR_PARALLEL_DEGREES } from '../../core/model/shard-plan.ts';

/** How a cluster serves a model; the same names, in flag form, wherever a program takes them. */
export interface ServingOptions {
  readonly model: string;
  readonly tokenizer: string | undefined;
  readonly tp: number;
  readonly precision: Precision;
  readonly kvCacheDtype: KvCacheDtype;
  readonly blockSize: number;
  readonly numGpuBlocksOverride: number | undefined;
  readonly maxModelLen: number | undefined;
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  readonly longPrefillTokenThreshold: number;
  readonly maxNumQueuedReqs: number;
  /** Seconds after which a step that some chip has not reported fails. */
  readonly stepTimeout: number;
}

/** Adds the serving options to a command, with their defaults. */
export function addServingOptions(command: Command): Command {
  return command
    .option('--model <name-or-path>', 'bundled name, directory or file', 'tinystories-5m')
    .option('--tokenizer <file>', 'tokenizer.json or llama2.c .bin (default: beside the model)')
    .addOption(choice('--tp <chips>', 'tensor-parallel degree', TENSOR_PARALLEL_DEGREES, 8))
    .addOption(choice('--precision <name>', 'arithmetic of the linear layers', PRECISIONS, 'fp8'))
    .addOption(choice('--kv-cache-dtype <name>', 'KV cache format', KV_CACHE_DTYPES, 'auto'))
    .option('--block-size <tokens>', 'tokens in a KV block, a multiple of 4', blockSize, 16)
    .option('--num-gpu-blocks-override <count>', 'at most so many KV blocks', wholeNumber(1))
    .option('--max-model-len <tokens>', 'context length (default: the model’s)', wholeNumber(2))
    .option('--max-num-seqs <count>', 'sequences in a step', wholeNumber(1), 256)
    .option('--max-num-batched-tokens <count>', 'tokens in a step', wholeNumber(1), 2048)
    .option(
      '--long-prefill-token-threshold <tokens>',
      'tokens of one prompt in a step (0: no limit)',
      wholeNumber(0),
      0,
    )
    .option('--max-num-queued-reqs <count>', 'requests that may wait', wholeNumber(1), 1024)
    .option('--step-timeout <seconds>', 'longest step', wholeNumber(1), 30);
}

/** The flags that make another program serve in the same way. */
export function servingArguments(options: ServingOptions): string[] {
  const flags: readonly (readonly [string, string | number | undefined])[] = [
    ['--model', options.model],
    ['--tokenizer', options.tokenizer],
    ['--tp', options.tp],
    ['--precision', options.precision],
    ['--kv-cache-dtype', options.kvCacheDtype],
    ['--block-size', options.blockSize],
    ['--num-gpu-blocks-override', options.numGpuBlocksOverride],
    ['--max-model-len', options.maxModelLen],
    ['--max-num-seqs', options.maxNumSeqs],
    ['--max-num-batched-tokens', options.maxNumBatchedTokens],
    ['--long-prefill-token-threshold', options.longPrefillTokenThreshold],
    ['--max-num-queued-reqs', options.maxNumQueuedReqs],
    ['--step-timeout', options.stepTimeout],
  ];
  return flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
}

/** A parser of whole numbers from `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= 0xffffffff) return value;
    throw new InvalidOptionError(`It must be a whole number from ${minimum}.`);
  };
}

/** An option with a fixed set of values; numbers are parsed. */
export function choice<T extends string | number>(
  flags: string,
  description: string,
  values: readonly T[],
  fallback: T,
): Option {
  return new Option(flags, `${description}: ${values.join(', ')}`)
    .default(fallback)
    .argParser((text: string) => {
      const value = values.find((candidate) => String(candidate) === text);
      if (value !== undefined) return value;
      throw new InvalidOptionError(`It must be one of ${values.join(', ')}.`);
    });
}

function blockSize(text: string): number {
  const value = wholeNumber(4)(text);
  if (value % 4 === 0) return value;
  throw new InvalidOptionError('It must be a multiple of 4.');
}
