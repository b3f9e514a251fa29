import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { isFields } from '../../core/support/fields.ts';
import { EXIT_CODES, StopRequest } from '../terminal/errors.ts';

/** Set for the program that serves in the background, where its starter waits for it. */
const DETACHED_VARIABLE = 'SOHU_DETACHED';

/** The command that started this program in the background, and ends when it serves. */
export interface Starter {
  /** Fires when the starter ends before it was told: nobody would know of this program. */
  readonly left: AbortSignal;
  /** `text` is for the user; from then on this program is on its own. */
  tellServing(text: string): void;
}

/** Undefined where this program was not started in the background. */
export function findStarter(env: NodeJS.ProcessEnv = process.env): Starter | undefined {
  if (env[DETACHED_VARIABLE] === undefined || process.send === undefined) return undefined;
  delete env[DETACHED_VARIABLE];
  const controller = new AbortController();
  const onLeft = (): void =>
    controller.abort(new StopRequest('its starter ended', EXIT_CODES.failed));
  process.once('disconnect', onLeft);
  // To listen must not keep a program alive that could not start.
  process.channel?.unref();
  return {
    left: controller.signal,
    tellServing: (text) => {
      process.off('disconnect', onLeft);
      process.send!({ text }, () => process.disconnect());
    },
  };
}

/**
 * Starts this very command as a program of its own session, passes on what it says while it starts,
 * and returns when it serves. A stop before that ends it too.
 */
export async function startDetached(signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, process.argv.slice(1), {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, [DETACHED_VARIABLE]: '1' },
  });
  child.stderr!.on('data', (chunk) => process.stderr.write(chunk));
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const text = await untilServing(child);
  signal.throwIfAborted();
  if (text === undefined) {
    process.exitCode = child.exitCode ?? EXIT_CODES.failed;
    return;
  }
  signal.removeEventListener('abort', stop);
  process.stdout.write(text);
  child.stderr!.destroy();
  child.unref();
}

/** What it has to say when it serves; undefined where it ended before. */
async function untilServing(child: ChildProcess): Promise<string | undefined> {
  let text: string | undefined;
  const told = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (!isFields(message) || typeof message.text !== 'string') return;
      text = message.text;
      resolve();
    });
  });
  await Promise.race([told, once(child, 'close')]);
  return text;
}
