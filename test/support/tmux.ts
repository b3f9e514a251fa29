import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CLI, type CliEnvironment, listDescendants } from './cli.ts';
import { requireOrSkip } from './requirements.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

const TIMEOUT_MS = 60_000;
const PROMPT = 'ready> ';

/** A shell in a terminal whose screen can be read. */
export class Tmux {
  readonly #socket: string;
  readonly #env: CliEnvironment;

  private constructor(t: TestContext, env: CliEnvironment) {
    this.#env = { LANG: 'C.UTF-8', SHELL: '/bin/sh', PS1: PROMPT, ...env };
    // Before the folder goes, and with it the way to the server.
    t.after(() => this.#tmux('kill-server'));
    this.#socket = join(makeTemporaryDirectory(t), 'tmux');
  }

  /** Undefined after skipping the test. */
  static start(t: TestContext, env: CliEnvironment, [width, height]: Size): Tmux | undefined {
    const isThere = spawnSync('tmux', ['-V']).status === 0;
    if (!requireOrSkip(t, isThere, 'the terminal multiplexer tmux')) return undefined;
    const tmux = new Tmux(t, env);
    tmux.#tmux('new-session', '-d', '-x', `${width}`, '-y', `${height}`, 'exec /bin/sh');
    return tmux;
  }

  /** Presses keys by tmux' names, such as `C-c`, `Enter` and `x`. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Types a command at the shell. */
  enter(command: string): void {
    this.#tmux('send-keys', '-l', command);
    this.press('Enter');
  }

  /** Types `sohu` with arguments at the shell; `before` are variables and the like. */
  sohu(args: string, before = ''): void {
    this.enter(`${before} '${process.execPath}' '${CLI}' ${args}`);
  }

  resize([width, height]: Size): void {
    this.#tmux('resize-window', '-x', `${width}`, '-y', `${height}`);
  }

  /** What the screen shows, a line each. */
  lines(): string[] {
    return this.#tmux('capture-pane', '-p').split('\n').slice(0, -1);
  }

  screen(): string {
    return this.lines().join('\n');
  }

  /** The same with its colours. */
  coloredScreen(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Whether a program has the screen for itself, and whether the cursor is shown. */
  state(): { readonly isAlternate: boolean; readonly hasCursor: boolean; readonly wraps: boolean } {
    const format = '#{alternate_on} #{cursor_flag} #{wrap_flag}';
    const [alternate, cursor, wrap] = this.#tmux('display-message', '-p', format).trim().split(' ');
    return { isAlternate: alternate === '1', hasCursor: cursor === '1', wraps: wrap === '1' };
  }

  /** The process of the `sohu` that was entered last. */
  sohuPid(): number {
    const shell = Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
    const found = listDescendants(shell).findLast(({ title }) => title.includes(CLI));
    assert.ok(found !== undefined, 'a program in the terminal');
    return found.pid;
  }

  /** Waits until the screen is as wanted. */
  async until(what: string | RegExp | ((screen: string) => boolean)): Promise<string> {
    const holds = (screen: string): boolean => {
      if (typeof what === 'function') return what(screen);
      return typeof what === 'string' ? screen.includes(what) : what.test(screen);
    };
    let screen = '';
    for (const startMs = performance.now(); performance.now() - startMs < TIMEOUT_MS; ) {
      screen = this.screen();
      if (holds(screen)) return screen;
      await delay(20);
    }
    throw new Error(`not within a minute: ${what}\n${screen}`);
  }

  #tmux(...args: readonly string[]): string {
    const all = ['-S', this.#socket, '-f', '/dev/null', '-u', ...args];
    return execFileSync('tmux', all, { env: this.#env, encoding: 'utf8' });
  }
}

/** Columns and lines. */
export type Size = readonly [number, number];
