import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { requireOrSkip } from '../support/requirements.ts';

/** Runs a program to its end; undefined after skipping the test where the machine does not have it. */
export function runProgram(
  t: TestContext,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> | undefined {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, ...env },
  });
  const isMissing = (result.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  return requireOrSkip(t, !isMissing, `the program ${program}`) ? result : undefined;
}
