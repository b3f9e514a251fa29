import type { Readable } from 'node:stream';

/** Takes a line that a process wrote. */
export type LineSink = (line: string) => void;

/** What is longer is passed on in pieces, so that a process without line breaks fills no memory. */
const MAX_LINE_CHARACTERS = 16_384;

/** Calls `onLine` with each line of a stream, the last one too where it has no line break. */
export function readLines(stream: Readable, onLine: LineSink): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
    while (rest.length > MAX_LINE_CHARACTERS) {
      onLine(rest.slice(0, MAX_LINE_CHARACTERS));
      rest = rest.slice(MAX_LINE_CHARACTERS);
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  stream.on('error', () => {});
}
