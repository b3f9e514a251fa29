#!/usr/bin/env node
import type { CommanderError } from 'commander';
import { makeProgram } from './program.ts';
import { EXIT_CODES, exitCodeOf, StopRequest } from './terminal/errors.ts';

const program = makeProgram();
for (const command of [program, ...program.commands]) {
  for (const each of [command, ...command.commands]) each.exitOverride(leave);
}

// A reader that has seen enough, as `head`, is no failure; who has work to stop listens itself.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.stdout.listenerCount('error') > 1) return;
  process.exit(error.code === 'EPIPE' ? EXIT_CODES.ok : EXIT_CODES.failed);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StopRequest)) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exitCode = exitCodeOf(error);
}

/** Commander has printed help, or what is wrong with the arguments. */
function leave({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage);
}
