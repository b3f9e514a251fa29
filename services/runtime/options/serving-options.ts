import { Command, type Option } from 'commander';
import {
  KV_CACHE_DTYPES,
  type KvCacheDtype,
  PRECISIONS,
  type Precision,
} from '../../core/model/precision.ts';
import { TENSOR_PARALLEL_DEGREES } from '../../core/model/shard-plan.ts';
import { choice, wholeNumber } from './option-values.ts';
import { addPhantomOptions, type PhantomOptions, type Weights } from './phantom-options.ts';
import { addKvOptions, addPolicyOptions, type SchedulingOptions } from './scheduling-options.ts';

/** How a cluster serves a model; the same names, in flag form, wherever a program takes them. */
export interface ServingOptions
  extends Omit<SchedulingOptions, 'maxNumSeqs' | 'maxNumBatchedTokens'>,
    PhantomOptions {
  readonly model: string;
  readonly tokenizer: string | undefined;
  readonly tp: number;
  readonly precision: Precision;
  readonly kvCacheDtype: KvCacheDtype;
  readonly weights: Weights;
  /** Of a step. Undefined takes 256, and of a phantom the software's. */
  readonly maxNumSeqs: number | undefined;
  /** Undefined takes 2048, and of a phantom the software's. */
  readonly maxNumBatchedTokens: number | undefined;
  readonly numGpuBlocksOverride: number | undefined;
  /** Seconds after which a step that some chip has not reported fails. */
  readonly stepTimeout: number;
}

/** Limits of a step of chips that hold weights. */
export const STEP_DEFAULTS = { maxNumSeqs: 256, maxNumBatchedTokens: 2048 } as const;

/** Adds the serving options to a command, with their defaults. */
export function addServingOptions(command: Command): Command {
  return addPolicyOptions(
    addPhantomOptions(addModelOptions(command))
      .option(
        '--max-num-seqs <count>',
        `sequences in a step (default: ${STEP_DEFAULTS.maxNumSeqs}, or a phantom’s software’s)`,
        wholeNumber(1),
      )
      .option(
        '--max-num-batched-tokens <count>',
        `tokens in a step (default: ${STEP_DEFAULTS.maxNumBatchedTokens}, or a phantom’s software’s)`,
        wholeNumber(1),
      ),
    { maxNumQueuedReqs: 4096 },
  ).option('--step-timeout <seconds>', 'longest step', wholeNumber(1), 30);
}

function addModelOptions(command: Command): Command {
  return addKvOptions(
    command
      .option('--model <name-or-path>', 'bundled name, directory or file', 'tinystories-5m')
      .option('--tokenizer <file>', 'tokenizer.json or llama2.c .bin (default: beside the model)')
      .addOption(choice('--tp <chips>', 'tensor-parallel degree', TENSOR_PARALLEL_DEGREES, 8))
      .addOption(choice('--precision <name>', 'arithmetic of the linear layers', PRECISIONS, 'fp8'))
      .addOption(choice('--kv-cache-dtype <name>', 'KV cache format', KV_CACHE_DTYPES, 'auto')),
  );
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
  return flagsOf(SERVING_OPTIONS, { ...options });
}

/** The flags that give options their values. */
export function flagsOf(
  options: readonly Option[],
  values: Readonly<Record<string, unknown>>,
): string[] {
  return options.flatMap((option) => {
    const value = values[option.attributeName()];
    if (option.negate) return value === false ? [option.long!] : [];
    return value === undefined ? [] : [option.long!, String(value)];
  });
}
