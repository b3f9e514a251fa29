import { closeSync, openSync, writeSync } from 'node:fs';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { TraceEvent } from '../../sim/capacity/trace-events.ts';

const BUFFERED_CHARACTERS = 1 << 20;

/** A Chrome trace on its way to a file, which Perfetto opens. */
export class ChromeTraceFile {
  readonly #file: number;
  #text: string;
  #isFirst = true;

  /** `field` names the file where it cannot be written; `clock` tells what its times are. */
  constructor(path: string, of: { readonly field: string; readonly clock: string }) {
    this.#file = openFile(path, of.field);
    const head = JSON.stringify({ displayTimeUnit: 'ms', otherData: { clock: of.clock } });
    this.#text = `${head.slice(0, -1)},"traceEvents":[\n`;
  }

  write(events: readonly TraceEvent[]): void {
    for (const event of events) {
      this.#text += `${this.#isFirst ? '' : ',\n'}${JSON.stringify(event)}`;
      this.#isFirst = false;
    }
    if (this.#text.length > BUFFERED_CHARACTERS) this.#flush();
  }

  close(): void {
    this.#text += '\n]}\n';
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    writeSync(this.#file, this.#text);
    this.#text = '';
  }
}

function openFile(path: string, field: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new InvalidArgumentError(
      `${field} must be a file that can be written: ${(error as Error).message}`,
    );
  }
}
