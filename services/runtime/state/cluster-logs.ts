import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LineSink } from '../process/read-lines.ts';
import { RotatingFile } from '../process/rotating-file.ts';
import { stateDirectory } from './state-directory.ts';

/** Older files that are kept of each process. */
export const OLDER_LOG_FILES = 2;
export const LOG_ENDING = '.log';
const MAX_LOG_BYTES = 1_048_576;
/** Clusters whose logs are kept, those that run included. */
const KEPT_CLUSTERS = 8;

/**
 * Keeps what the processes of a cluster write, each line behind the moment it came at, in bounded
 * files of one directory.
 */
export class ClusterLogs {
  readonly directory: string;
  readonly #nowMs: () => number;
  readonly #files = new Map<string, RotatingFile>();

  /** `nowMs` is in milliseconds since 1970. */
  constructor(directory: string, nowMs: () => number = Date.now) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.directory = directory;
    this.#nowMs = nowMs;
  }

  /** Where the lines of a process go: "the coordinator" writes coordinator.log, "chip 3" chip-3.log. */
  of(processName: string): LineSink {
    const file = new RotatingFile({
      path: join(this.directory, `${logName(processName)}${LOG_ENDING}`),
      maxBytes: MAX_LOG_BYTES,
      olderFiles: OLDER_LOG_FILES,
    });
    this.#files.set(processName, file);
    return (line) => {
      if (this.#files.has(processName)) this.#write(file, line);
    };
  }

  /** Lines that come later are lost. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  /** A full disk must not end a cluster. */
  #write(file: RotatingFile, line: string): void {
    try {
      file.writeLine(`${new Date(this.#nowMs()).toISOString()} ${line}`);
    } catch {
      // The line is lost.
    }
  }
}

/**
 * Logs for a cluster that this process starts. Those of the clusters that were started longest ago
 * are removed, unless `isRunning` says that their process lives.
 */
export function openClusterLogs(pid: number, isRunning: (pid: number) => boolean): ClusterLogs {
  const directory = logDirectoryOf(pid);
  // Of an earlier process with the same number.
  rmSync(directory, { recursive: true, force: true });
  for (const old of listClusterLogs().slice(KEPT_CLUSTERS - 1)) {
    if (!isRunning(old)) rmSync(logDirectoryOf(old), { recursive: true, force: true });
  }
  return new ClusterLogs(directory);
}

/** The processes whose clusters have logs, the last started first. */
export function listClusterLogs(): number[] {
  const directory = logsDirectory();
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return []; // Nothing was logged yet.
  }
  const startedMs = (pid: number): number =>
    statSync(logDirectoryOf(pid), { throwIfNoEntry: false })?.birthtimeMs ?? 0;
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => startedMs(b) - startedMs(a));
}

export function logDirectoryOf(pid: number): string {
  return join(logsDirectory(), String(pid));
}

function logsDirectory(): string {
  return join(stateDirectory(), 'logs');
}

function logName(processName: string): string {
  return processName.toLowerCase().replace(/^the /, '').replaceAll(/\W+/g, '-');
}
