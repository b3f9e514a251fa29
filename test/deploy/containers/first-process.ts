import { readdirSync, readFileSync } from 'node:fs';

/** The fields of /proc/<pid>/status, as this machine's kernel sees a process. */
export type ProcessStatus = Readonly<Record<string, string>>;

/** The first process of a container, of which the engine, in a namespace of its own, knows `pid`. */
export function firstProcess(pid: number): ProcessStatus {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStatus)
    .find(({ NSpid }) => {
      const [, inEngine, inContainer] = NSpid?.split('\t') ?? [];
      return inEngine === `${pid}` && inContainer === '1';
    });
  if (found === undefined) throw new Error(`no container begins with process ${pid}`);
  return found;
}

function readStatus(pid: string): ProcessStatus {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trimEnd().split('\n');
    return Object.fromEntries(lines.map((line) => line.split(':\t') as [string, string]));
  } catch {
    return {}; // It has ended since it was listed.
  }
}
