import type { Command } from 'commander';
import { addNodeOptions, type NodeOptions } from './node-options.ts';
import { wholeNumber } from './option-values.ts';

/** The options of a chip's process. */
export interface WorkerOptions extends NodeOptions {
  readonly rank: number;
  readonly threads: number;
}

/** Adds the options to a command, with their defaults. */
export function addWorkerOptions(command: Command): Command {
  return addNodeOptions(command)
    .option('--rank <number>', 'rank in the group; every worker needs one', wholeNumber(0))
    .option('--threads <count>', 'threads for one large segment', wholeNumber(1), 1);
}
