import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { rotatedPaths } from '../process/rotating-file.ts';
import { LOG_ENDING, OLDER_LOG_FILES } from './cluster-logs.ts';

/** A line that a process of a cluster wrote. */
export interface LoggedLine {
  /** As in the file's name: "chip-3". */
  readonly process: string;
  /** When it came, in ISO 8601. */
  readonly time: string;
  readonly text: string;
}

const READ_BYTES = 65_536;

/** The processes of a cluster that have a log, sorted; chips by their number. */
export function listLoggedProcesses(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith(LOG_ENDING))
    .map((name) => name.slice(0, -LOG_ENDING.length))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/**
 * The log of one process: first all that is kept, then what is added, however often the file is
 * rotated in between as long as it is read before its older files are gone.
 */
export class LogReader {
  readonly #process: string;
  readonly #path: string;
  /** The file that is read, and how far. */
  #inode: number | undefined;
  #offset = 0;
  #rest = '';

  constructor(directory: string, process: string) {
    this.#process = process;
    this.#path = join(directory, `${process}${LOG_ENDING}`);
  }

  /** The lines that came since the last call. */
  read(): LoggedLine[] {
    const files = this.#unreadFiles();
    const text = this.#rest + files.map((path) => this.#readFile(path)).join('');
    const lines = text.split('\n');
    this.#rest = lines.pop()!;
    return lines.map((line) => parseLine(this.#process, line));
  }

  /** From the file that was read last to the current one, the oldest first. */
  #unreadFiles(): string[] {
    const paths = rotatedPaths(this.#path, OLDER_LOG_FILES);
    const last = paths.findIndex((path) => inodeOf(path) === this.#inode);
    const unread = this.#inode === undefined || last < 0 ? paths : paths.slice(0, last + 1);
    return unread.reverse();
  }

  #readFile(path: string): string {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'r');
    } catch {
      return ''; // There are fewer older files than there may be.
    }
    try {
      const { ino } = fstatSync(descriptor);
      if (ino !== this.#inode) this.#offset = 0;
      this.#inode = ino;
      const bytes = readFrom(descriptor, this.#offset);
      this.#offset += bytes.length;
      return bytes.toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Lines of several logs in the order of their moments. */
export function mergeLines(logs: readonly (readonly LoggedLine[])[]): LoggedLine[] {
  // The sort is stable: equal moments keep the order of the processes.
  return logs.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

function parseLine(process: string, line: string): LoggedLine {
  const space = line.indexOf(' ');
  return { process, time: line.slice(0, space), text: line.slice(space + 1) };
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function readFrom(descriptor: number, offset: number): Buffer {
  const chunks: Buffer[] = [];
  for (let at = offset; ; ) {
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    const bytes = readSync(descriptor, chunk, 0, READ_BYTES, at);
    if (bytes === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, bytes));
    at += bytes;
  }
}
