import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One thing that a cluster needs, or that is good to have. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Whether a cluster serves without it. */
  readonly optional: boolean;
  /** What was found, or what to do. */
  readonly detail: string;
}

const VERSION_TIMEOUT_MS = 5_000;

export function need(name: string, ok: boolean, detail: string): Check {
  return { name, ok, optional: false, detail };
}

export function wish(name: string, ok: boolean, detail: string): Check {
  return { name, ok, optional: true, detail };
}

/** A need that is met where the attempt gives its detail, and not where it throws. */
export function tryNeed(name: string, attempt: () => string): Check {
  try {
    return need(name, true, attempt());
  } catch (error) {
    return need(name, false, (error as Error).message);
  }
}

/** What a program says of its version, on one line; undefined where it cannot be run. */
export async function versionOf(
  program: string,
  args = ['--version'],
): Promise<string | undefined> {
  try {
    const run = promisify(execFile);
    const { stdout, stderr } = await run(program, args, { timeout: VERSION_TIMEOUT_MS });
    return (stdout + stderr).trim().split('\n')[0] ?? '';
  } catch {
    return undefined;
  }
}
