import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning } from '../../../services/runtime/process/process-identity.ts';
import { spawnGuarded } from '../../../services/runtime/process/spawn-guarded.ts';
import { requireOrSkip } from '../../support/requirements.ts';

/** A container engine of this test's own. */
export interface Engine {
  /** A folder that goes with it. */
  readonly directory: string;
  /** Runs a program against the engine, and resolves to what it printed; rejects where it fails. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<string>;
  docker(...args: readonly string[]): Promise<string>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const START_TIMEOUT_MS = 60_000;
const RUN_TIMEOUT_MS = 300_000;
const POLL_MS = 100;
/** Debian's packages docker.io, docker-compose and debootstrap. */
/** Of the folders; the pid of their process comes next. */
const PREFIX = 'sohu-engine-';
const PROGRAMS = ['dockerd', 'docker', 'docker-compose', 'debootstrap'];

/**
 * Starts dockerd with everything of its own below a temporary folder; it ends with this process. Undefined after
 * skipping the test where that is not possible.
 */
export async function startEngine(t: TestContext): Promise<Engine | undefined> {
  if (!requireOrSkip(t, process.getuid?.() === 0, 'root, to start a container engine')) return;
  const missing = PROGRAMS.find((name) => !isInstalled(name));
  if (!requireOrSkip(t, missing === undefined, `the program ${missing}`)) return;
  removeAbandoned();
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const socket = `unix://${join(directory, 'docker.sock')}`;
  const daemon = spawnGuarded({
    name: 'dockerd',
    // In namespaces of its own, so that neither containers nor mounts outlive it, however it ends.
    command: 'unshare',
    args: [
      ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'dockerd'],
      ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
      ...['--pidfile', join(directory, 'dockerd.pid'), '--host', socket],
      // No network but those that are asked for.
      ...['--bridge', 'none', '--log-level', 'error'],
    ],
  });
  const run = (program: string, args: readonly string[], options: RunOptions = {}) =>
    runProgram(program, args, { ...options, env: { ...options.env, DOCKER_HOST: socket } });
  const docker = (...args: readonly string[]): Promise<string> => run('docker', args);
  t.after(async () => {
    // `unshare` hears no SIGTERM: what is left in its namespaces ends with it.
    await daemon.stop(0);
    rmSync(directory, { recursive: true, maxRetries: 20, retryDelay: 250 });
  });
  let end: string | undefined;
  void daemon.exited.then(({ stderrTail }) => {
    end = stderrTail.split('\n').at(-1) ?? '';
  });
  for (const startMs = performance.now(); performance.now() - startMs < START_TIMEOUT_MS; ) {
    // Where this is not allowed to be, nothing that could be installed changes it.
    if (end !== undefined) return skip(t, `no container engine can run here: ${end}`);
    if (await docker('info').catch(() => undefined)) {
      return { directory, run, docker };
    }
    await delay(POLL_MS);
  }
  return skip(t, 'no container engine can run here: dockerd does not answer');
}

/** Removes the folders of processes that were killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function skip(t: TestContext, message: string): undefined {
  t.skip(message);
  return undefined;
}

function isInstalled(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env }: RunOptions,
): Promise<string> {
  const options = {
    ...{ cwd, env: { ...process.env, ...env }, timeout: RUN_TIMEOUT_MS },
    maxBuffer: 64 * 2 ** 20,
  };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}: ${`${stderr}${stdout}`.slice(-3000)}`));
    });
  });
}
