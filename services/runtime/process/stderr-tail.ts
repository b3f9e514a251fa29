import type { Readable } from 'node:stream';

const TAIL_CHARACTERS = 8_192;
const TAIL_LINES = 20;

/**
 * Keeps the last lines that a process wrote to its standard error, for the message about its end.
 */
export class StderrTail {
  #text = '';

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      this.#text = (this.#text + chunk).slice(-TAIL_CHARACTERS);
    });
    // The end of the process is what gets reported, not that of its pipe.
    stream.on('error', () => {});
  }

  get text(): string {
    return this.#text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  }
}
