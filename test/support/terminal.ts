import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CLI, type CliEnvironment } from './cli.ts';
import { requireOrSkip } from './requirements.ts';

/** A `sohu` that runs in a terminal of its own. */
export interface TerminalProcess {
  /** The pid of the program that makes the terminal; `sohu` is its child. */
  readonly pid: number;
  /** Types keys; control characters are what a keyboard sends. */
  type(keys: string): void;
  /** Resolves when the text appears after what was awaited before; gives what came up to its end. */
  until(text: string): Promise<string>;
  /** All that the terminal was sent. */
  printed(): string;
  /** The exit code of `sohu`. */
  readonly exited: Promise<number>;
}

export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';
export const ENTER = '\r';

/** Starts the built program in a pseudo-terminal; undefined after skipping the test. */
export function startTerminal(
  t: TestContext,
  env: CliEnvironment,
  args: readonly string[],
): TerminalProcess | undefined {
  if (!requireOrSkip(t, hasScript(), 'the program `script` of util-linux')) return undefined;
  const words = [process.execPath, CLI, ...args].map((word) => `'${word}'`);
  const command = `stty cols 200 rows 50; exec ${words.join(' ')}`;
  const child = spawn('script', ['--quiet', '--flush', '--return', '-c', command, '/dev/null'], {
    env: { ...env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => {});
  let output = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  return {
    pid: child.pid!,
    type: (keys) => void child.stdin.write(keys),
    until: async (text) => {
      while (!output.includes(text, seen)) {
        assert.equal(child.exitCode, null, `it ended without ${JSON.stringify(text)}:\n${output}`);
        await delay(5);
      }
      const end = output.indexOf(text, seen) + text.length;
      const part = output.slice(seen, end);
      seen = end;
      return part;
    },
    printed: () => output,
    exited: once(child, 'close').then(([code]) => code as number),
  };
}

function hasScript(): boolean {
  try {
    return `${execFileSync('script', ['--version'])}`.includes('util-linux');
  } catch {
    return false;
  }
}
