import { spawn } from 'node:child_process';
import { OPTION_VARIABLES } from '../options/programs.ts';
import { PARENT_VARIABLE } from './exit-with-parent.ts';
import { ManagedProcess } from './managed-process.ts';
import { type LineSink, readLines } from './read-lines.ts';

export interface SpawnNodeOptions {
  /** What messages call the process, such as `worker 3`. */
  readonly name: string;
  /** Path of the compiled main module; it must call `exitWithParent` first. */
  readonly entry: string;
  readonly args?: readonly string[];
  /** Added to this process's own environment, of which no option is handed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for Node itself, such as a heap limit. */
  readonly nodeArgs?: readonly string[];
  /**
   * Whether its output appears on ours, or what takes its lines; what it wrote to standard error
   * last is kept either way.
   */
  readonly output?: 'inherit' | 'ignore' | LineSink;
  /** Receives what the process sends with `process.send`. */
  readonly onMessage?: (message: unknown) => void;
}

const NO_OPTIONS = Object.fromEntries(OPTION_VARIABLES.map((name) => [name, undefined]));

/**
 * Starts one of our own mains in its own session: a terminal's Ctrl-C reaches only this process,
 * and the end of this process, however it comes, ends the child.
 */
export function spawnNode(options: SpawnNodeOptions): ManagedProcess {
  const output = options.output ?? 'inherit';
  const args = [...(options.nodeArgs ?? []), options.entry, ...(options.args ?? [])];
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', typeof output === 'function' ? 'pipe' : output, 'pipe', 'ipc'],
    env: { ...process.env, ...NO_OPTIONS, ...options.env, [PARENT_VARIABLE]: '1' },
  });
  const managed = new ManagedProcess({ name: options.name, child });
  if (output === 'inherit') child.stderr?.on('data', (chunk) => process.stderr.write(chunk));
  if (typeof output === 'function') {
    for (const stream of [child.stdout, child.stderr]) readLines(stream!, output);
  }
  if (options.onMessage !== undefined) child.on('message', options.onMessage);
  return managed;
}
