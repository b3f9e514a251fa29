import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { packagePath } from '../../services/runtime/package-info.ts';
import { isRunning, untilGone } from '../runtime/fixtures/programs.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

/** What a program printed, and how it ended. */
export interface CliExit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `sohu` that runs. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<CliExit>;
  /** Resolves when the output has the text; rejects when the program ends without it. */
  untilPrinted(stream: 'stdout' | 'stderr', text: string): Promise<void>;
  /** The output so far. */
  printed(stream: 'stdout' | 'stderr'): string;
}

export type CliEnvironment = Readonly<Record<string, string>>;

/** Folders of its own for state and cache, without influence from outside. */
export function makeCliEnvironment(t: TestContext): CliEnvironment {
  const directory = makeTemporaryDirectory(t);
  return {
    PATH: process.env.PATH ?? '',
    ...(process.env.SOHU_NATS_SERVER && { SOHU_NATS_SERVER: process.env.SOHU_NATS_SERVER }),
    HOME: directory,
    XDG_STATE_HOME: join(directory, 'state'),
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(directory, 'cache'),
  };
}

/** The built program. */
export const CLI = packagePath('dist/services/cli/main.js');

/**
 * Starts the built program; it is killed when the test ends. `input` is all that it reads; without
 * one there is nothing to read.
 */
export function startCli(
  t: TestContext,
  env: CliEnvironment,
  args: readonly string[],
  input?: string,
): CliProcess {
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  // It may end without reading.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
    });
  }
  const exited = once(child, 'close').then(([code]) => ({ code, ...output }) as CliExit);
  const untilPrinted: CliProcess['untilPrinted'] = async (stream, text) => {
    while (!output[stream].includes(text)) {
      assert.equal(child.exitCode, null, `it ended: ${output.stderr}`);
      await delay(5);
    }
  };
  const printed: CliProcess['printed'] = (stream) => output[stream];
  return { child, pid: child.pid!, exited, untilPrinted, printed };
}

/** Runs the built program to its end. */
export function runCli(
  t: TestContext,
  env: CliEnvironment,
  args: readonly string[],
  input?: string,
): Promise<CliExit> {
  return startCli(t, env, args, input).exited;
}

/** The processes below a process, with what they call themselves. */
export function listDescendants(pid: number): { readonly pid: number; readonly title: string }[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
  return children.flatMap((child) => [
    { pid: child, title: readProcFile(`${child}/cmdline`) },
    ...listDescendants(child),
  ]);
}

/** Waits until none of the processes is left. */
export async function untilAllGone(processes: readonly { readonly pid: number }[]): Promise<void> {
  await Promise.all(processes.map(({ pid }) => untilGone(pid)));
  for (const { pid } of processes) assert.ok(!(await isRunning(pid)));
}

function parentOf(pid: string): number {
  const stat = readProcFile(`${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Empty for a process that has just ended. */
function readProcFile(path: string): string {
  try {
    return readFileSync(join('/proc', path), 'utf8');
  } catch {
    return '';
  }
}
