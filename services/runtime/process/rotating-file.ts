import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

export interface RotatingFileOptions {
  readonly path: string;
  /** A file that would grow beyond this becomes the first of the older ones. */
  readonly maxBytes: number;
  /** How many older files are kept, as `<path>.1` (the youngest), `<path>.2`, … */
  readonly olderFiles: number;
}

/**
 * A file for lines that never takes more than `maxBytes` × (1 + `olderFiles`). It is written
 * synchronously: what a process wrote last is there however the writer ends.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor: number;
  #bytes: number;

  /** Appends to what is there. Throws where the file cannot be opened. */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#descriptor = openFile(options.path);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  /** Appends a line; what does not fit into a file is cut off. */
  writeLine(line: string): void {
    const bytes = Buffer.from(`${line}\n`).subarray(0, this.#options.maxBytes);
    if (this.#bytes + bytes.length > this.#options.maxBytes) this.#rotate();
    writeSync(this.#descriptor, bytes);
    this.#bytes += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    this.close();
    const { path, olderFiles } = this.#options;
    const paths = rotatedPaths(path, olderFiles);
    rmSync(paths.at(-1)!, { force: true });
    for (let age = olderFiles - 1; age >= 0; age--) move(paths[age]!, paths[age + 1]!);
    this.#descriptor = openFile(path);
    this.#bytes = 0;
  }
}

/** The paths of a rotating file and of its older ones, the youngest first. */
export function rotatedPaths(path: string, olderFiles: number): string[] {
  return [path, ...Array.from({ length: olderFiles }, (_, index) => `${path}.${index + 1}`)];
}

function openFile(path: string): number {
  return openSync(path, 'a', 0o600);
}

/** An older file may not be there yet. */
function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
