import type { ChildProcess } from 'node:child_process';
import type { StopMessage } from './on-stop-signal.ts';
import { StderrTail } from './stderr-tail.ts';

/** How a process ended: exactly one of `code` and `signal` is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderrTail: string;
}

const STOP_GRACE_MS = 3_000;

/**
 * A child that leads its own process group, which ends with it: its own children do not outlive it.
 */
export class ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;

  /** `child` was spawned detached, with its standard error as a pipe. */
  constructor(options: { name: string; child: ChildProcess }) {
    const { name, child } = options;
    if (child.pid === undefined || child.stderr === null) {
      child.once('error', () => {});
      throw new Error(`the ${name} process could not be started: ${child.spawnfile}`);
    }
    this.name = name;
    this.pid = child.pid;
    this.#child = child;
    const tail = new StderrTail(child.stderr);
    child.once('exit', () => this.#killGroup());
    // 'close' comes after 'exit', when standard error was read to its end.
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal, stderrTail: tail.text }));
    });
  }

  /** SIGTERM, and SIGKILL to the whole group when it is still there after the grace. */
  async stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exitWithin(graceMs);
  }

  /** Asks one of our own mains to finish its work within the limit; then it ends as in `stop`. */
  async drain(limitMs: number): Promise<void> {
    if (limitMs <= 0 || !this.#child.connected) return this.stop();
    const message: StopMessage = { kind: 'stop', drainMs: limitMs };
    // Who cannot be told is about to end, or is killed below.
    this.#child.send(message, () => {});
    await this.#exitWithin(limitMs + STOP_GRACE_MS);
  }

  async #exitWithin(limitMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#killGroup(), limitMs);
    await this.exited;
    clearTimeout(deadline);
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody is left in the group.
    }
  }
}
