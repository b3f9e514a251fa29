import { findChip } from '../../core/hardware/chip-catalogue.ts';
import type { OutputLengths } from '../../core/sampling/output-lengths.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { isByConstruction } from '../../core/timing/load-price.ts';
import {
  capacityPolicyOf,
  defaultSoftware,
  findSoftwareVersion,
} from '../../core/timing/software-version.ts';
import { PHANTOM_DEFAULTS, type PhantomOptions } from './phantom-options.ts';
import { type ServingOptions, STEP_DEFAULTS } from './serving-options.ts';

/** What a phantom group stands for, with every default filled in. */
export interface PhantomSettings {
  readonly chip: string;
  readonly software: string;
  readonly speed: number;
  readonly lengths: OutputLengths;
}

/** Serving options with every default filled in that depends on the weights. */
export interface ResolvedServing extends ServingOptions {
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  /** Undefined where the chips hold weights. */
  readonly phantom: PhantomSettings | undefined;
}

const PHANTOM_FIELDS: readonly (readonly [keyof PhantomOptions, string])[] = [
  ['chip', 'chip'],
  ['software', 'software'],
  ['speed', 'speed'],
  ['outputLengths', 'output_lengths'],
  ['outputTokens', 'output_tokens'],
];

/**
 * Fills in what was left open; resolving twice changes nothing. Throws an InvalidArgumentError for names
 * that are not known, and for options of phantoms where the chips hold weights.
 */
export function resolveServing(options: ServingOptions): ResolvedServing {
  return options.weights === 'phantom' ? resolvePhantom(options) : resolveCheckpoint(options);
}

function resolveCheckpoint(options: ServingOptions): ResolvedServing {
  const given = PHANTOM_FIELDS.find(([name]) => options[name] !== undefined);
  if (given !== undefined) {
    throw new InvalidArgumentError(
      `${given[1]} must be left out where chips hold the weights of a checkpoint: it is for --weights phantom`,
    );
  }
  return {
    ...options,
    maxNumSeqs: options.maxNumSeqs ?? STEP_DEFAULTS.maxNumSeqs,
    maxNumBatchedTokens: options.maxNumBatchedTokens ?? STEP_DEFAULTS.maxNumBatchedTokens,
    phantom: undefined,
  };
}

function resolvePhantom(options: ServingOptions): ResolvedServing {
  const chip = findChip(options.chip ?? PHANTOM_DEFAULTS.chip);
  const software =
    options.software === undefined
      ? defaultSoftware(isByConstruction(chip))
      : findSoftwareVersion(options.software);
  const speed = options.speed ?? PHANTOM_DEFAULTS.speed;
  const outputLengths = options.outputLengths ?? PHANTOM_DEFAULTS.outputLengths;
  const outputTokens = options.outputTokens ?? PHANTOM_DEFAULTS.outputTokens;
  return {
    ...options,
    ...{ chip: chip.name, software: software.name, speed, outputLengths, outputTokens },
    maxNumSeqs: options.maxNumSeqs ?? software.maxNumSeqs,
    maxNumBatchedTokens: options.maxNumBatchedTokens ?? software.maxNumBatchedTokens,
    capacitySchedulerPolicy: options.capacitySchedulerPolicy ?? capacityPolicyOf(software),
    phantom: {
      ...{ chip: chip.name, software: software.name, speed },
      lengths: { distribution: outputLengths, mean: outputTokens },
    },
  };
}
