import { spawn } from 'node:child_process';
import { ManagedProcess } from './managed-process.ts';
import { type LineSink, readLines } from './read-lines.ts';

export interface SpawnGuardedOptions {
  /** What messages call the process. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes the lines that it writes to standard error. */
  readonly onLine?: LineSink | undefined;
}

// The shell becomes the command, so that the child's pid, exit code and signals are the command's
// own. A watcher in its process group waits for the end of our pipe, which comes even when this
// process is killed. While the watcher lives, the group's number, which is the command's pid, is
// not given to another process. (Descriptor 3, because a shell may replace descriptor 0 of a
// background job.)
const GUARD = `
exec 3<&0
(
  while read -r _; do :; done
  kill -TERM $$
  sleep 1
  kill -KILL 0
) <&3 >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
`;

/**
 * Starts a command that knows nothing of us in its own session, and ends it when this process ends.
 */
export function spawnGuarded(options: SpawnGuardedOptions): ManagedProcess {
  const child = spawn('/bin/sh', ['-c', GUARD, options.name, options.command, ...options.args], {
    detached: true,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  // Nothing is written to it: it only has to end with us.
  child.stdin?.on('error', () => {});
  const managed = new ManagedProcess({ name: options.name, child });
  if (options.onLine !== undefined) readLines(child.stderr!, options.onLine);
  return managed;
}
