import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stateDirectory } from '../../runtime/state/state-directory.ts';

const SIZE = 500;

/** The lines that a user typed into chats, for the arrow keys of the next one. */
export class ChatHistory {
  readonly size = SIZE;
  readonly #path: string;
  #lines: string[];

  constructor(path: string = join(stateDirectory(), 'chat-history')) {
    this.#path = path;
    this.#lines = readLines(path);
  }

  /** The last one first, as readline has them. */
  get lines(): string[] {
    return [...this.#lines];
  }

  keep(lines: readonly string[]): void {
    this.#lines = lines.slice(0, SIZE);
  }

  /** For this user alone; a history that cannot be written is given up. */
  save(): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(this.#path, this.#lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    } catch {
      // The arrow keys of the next chat find less.
    }
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .slice(0, SIZE);
  } catch {
    return [];
  }
}
