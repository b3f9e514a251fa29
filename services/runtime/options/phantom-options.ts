import type { Command } from 'commander';
import {
  OUTPUT_LENGTHS,
  type OutputLengthDistribution,
} from '../../core/sampling/output-lengths.ts';
import { choice, numberBetween, wholeNumber } from './option-values.ts';

export const WEIGHTS = ['checkpoint', 'phantom'] as const;
export type Weights = (typeof WEIGHTS)[number];

/** What a cluster stands for whose chips hold no weights; undefined takes the default. */
export interface PhantomOptions {
  readonly chip: string | undefined;
  readonly software: string | undefined;
  readonly speed: number | undefined;
  readonly outputLengths: OutputLengthDistribution | undefined;
  readonly outputTokens: number | undefined;
}

/** What holds where nothing else is said. */
export const PHANTOM_DEFAULTS = {
  chip: 'Sohu',
  speed: 1,
  outputLengths: 'lognormal',
  outputTokens: 256,
} as const;

/** Adds the choice of weights, and the options of clusters without. */
export function addPhantomOptions(command: Command): Command {
  const defaults = PHANTOM_DEFAULTS;
  return command
    .addOption(
      choice(
        '--weights <kind>',
        'what the chips hold; phantoms only price steps',
        WEIGHTS,
        'checkpoint',
      ),
    )
    .option('--chip <name>', `of phantoms, see \`sohu chips\` (default: ${defaults.chip})`)
    .option('--software <version>', 'of phantoms, as in `sohu sim` (default: as there)')
    .option(
      '--speed <factor>',
      `device seconds in a second, of phantoms; 0: as fast as possible (default: ${defaults.speed})`,
      numberBetween(0, 1e6),
    )
    .addOption(
      choice(
        '--output-lengths <name>',
        `until a phantom’s end of text (default: ${defaults.outputLengths})`,
        OUTPUT_LENGTHS,
      ),
    )
    .option(
      '--output-tokens <mean>',
      `mean of them (default: ${defaults.outputTokens})`,
      wholeNumber(1),
    );
}
