import type { Command } from 'commander';
import { numberBetween } from './option-values.ts';

/** How a process ends that others ask for work. */
export interface ShutdownOptions {
  /** Seconds that open requests may go on after SIGTERM or SIGINT. */
  readonly shutdownTimeout: number;
}

const MAX_SECONDS = 3_600;

/** Adds the options to a command, with their defaults. */
export function addShutdownOptions(command: Command): Command {
  return command.option(
    '--shutdown-timeout <seconds>',
    'how long open requests may go on after SIGTERM or SIGINT',
    numberBetween(0, MAX_SECONDS),
    0,
  );
}
