import type { Command } from 'commander';
import { FORMATS, type Format } from '../../core/hardware/chip.ts';
import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { isByConstruction, type PlacedModel } from '../../core/timing/load-price.ts';
import {
  defaultSoftware,
  findSoftwareVersion,
  IDEAL_SOFTWARE,
} from '../../core/timing/software-version.ts';
import { choice, wholeNumber } from '../../runtime/options/option-values.ts';
import { findModel } from './models.ts';

const KV_FORMATS = ['fp8', 'bf16'] as const;

/** The options of a command that prices a model on chips. */
export interface LoadOptions {
  readonly model: string;
  readonly chip: string;
  readonly tp: number;
  readonly pp: number;
  readonly ep: number;
  readonly dp: number;
  readonly precision: Format;
  readonly kvCacheDtype: 'fp8' | 'bf16';
  readonly software: string | undefined;
  readonly maxNumBatchedTokens: number | undefined;
  readonly maxNumSeqs: number | undefined;
}

/** Adds the options that place a model on chips. */
export function addLoadOptions(command: Command): Command {
  const positive = wholeNumber(1);
  return command
    .option('--model <name-or-path>', 'see `sohu models`', 'llama-3-70b')
    .option('--chip <name>', 'see `sohu chips`', 'Sohu')
    .option('--tp <chips>', 'tensor-parallel degree', positive, 8)
    .option('--pp <stages>', 'pipeline stages', positive, 1)
    .option('--ep <chips>', 'chips that experts are spread over', positive, 1)
    .option(
      '--dp <replicas>',
      'replicas; a mixture of experts spreads its experts over them',
      positive,
      1,
    )
    .addOption(choice('--precision <name>', 'format of the linear layers', FORMATS, 'fp8'))
    .addOption(choice('--kv-cache-dtype <name>', 'format of keys and values', KV_FORMATS, 'fp8'))
    .option(
      '--software <version>',
      `whose overheads and limits hold (default: ${defaultSoftware(false).name}, or ${IDEAL_SOFTWARE} for a chip that is only claimed)`,
    )
    .option(
      '--max-num-batched-tokens <count>',
      'tokens in a step (default: the software’s)',
      positive,
    )
    .option('--max-num-seqs <count>', 'sequences in a step (default: the software’s)', positive);
}

/** Looks up what the options name. */
export function placeModel(options: LoadOptions): PlacedModel {
  const chip = findChip(options.chip);
  const software =
    options.software === undefined
      ? defaultSoftware(isByConstruction(chip))
      : findSoftwareVersion(options.software);
  const { tp, pp, ep, dp } = options;
  return {
    architecture: findModel(options.model),
    chip,
    layout: { tp, pp, ep, dp },
    precision: { weights: options.precision, kv: options.kvCacheDtype },
    software,
    maxNumBatchedTokens: options.maxNumBatchedTokens ?? software.maxNumBatchedTokens,
    maxNumSeqs: options.maxNumSeqs ?? software.maxNumSeqs,
  };
}
