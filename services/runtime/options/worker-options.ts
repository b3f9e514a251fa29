import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import { addNodeOptions, type NodeOptions } from './node-options.ts';
import { wholeNumber, withSchema } from './option-values.ts';

/** The options of a chip's process. */
export interface WorkerOptions extends NodeOptions {
  /** Several share the process and its connection, which is for chips that only exchange in a ring. */
  readonly rank: readonly number[];
  readonly threads: number;
}

/** Adds the options to a command, with their defaults. */
export function addWorkerOptions(command: Command): Command {
  return addNodeOptions(command)
    .option('--rank <numbers>', 'rank in the group; with commas, of several phantoms', ranks)
    .option('--threads <count>', 'threads for one large segment', wholeNumber(1), 1);
}

const ranks = withSchema(
  { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] },
  (text: string) => {
    const parts = text.split(',').map(wholeNumber(0));
    if (new Set(parts).size === parts.length) return parts;
    throw new InvalidOptionError('It must name each rank once.');
  },
);
