import { readFileSync } from 'node:fs';

const STATE_FIELD = 0;
const START_FIELD = 19;

/**
 * When a process began, in the kernel's own unit: with its number, this tells it from a later
 * process that was given the same number. Undefined where the system does not tell.
 */
export function processStart(pid: number): string | undefined {
  return readStat(pid)?.[START_FIELD];
}

/**
 * Whether a process of this user runs: that of `start`, where it is known. One that has ended and
 * waits for its parent to notice does not.
 */
export function isRunning(pid: number, start?: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // A process of another user, which must not be signalled, is none of ours.
  }
  const stat = readStat(pid);
  if (stat === undefined) return true;
  if (/[ZX]/.test(stat[STATE_FIELD]!)) return false;
  return start === undefined || stat[START_FIELD] === start;
}

/** What Linux says of a process after its number and name, which may hold spaces. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
