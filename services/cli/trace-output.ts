import { closeSync, openSync, writeSync } from 'node:fs';
import { InvalidArgumentError } from '../core/support/errors.ts';
import type { StepPricer } from '../core/timing/step-pricer.ts';
import type { PlacedStep } from '../sim/capacity/simulate-capacity.ts';
import { nameTracks, type TraceEvent, traceEventsOf } from '../sim/capacity/trace-events.ts';

const BUFFERED_CHARACTERS = 1 << 20;

/** Writes the first steps of a simulation as a Chrome trace, which Perfetto opens. */
export class TraceOutput {
  readonly #file: number;
  readonly #pricer: StepPricer;
  readonly #named = new Set<string>();
  #stepsLeft: number;
  #text = '{"displayTimeUnit":"ms","otherData":{"clock":"device"},"traceEvents":[\n';
  #isFirst = true;

  constructor(path: string, options: { readonly pricer: StepPricer; readonly steps: number }) {
    this.#file = openFile(path);
    this.#pricer = options.pricer;
    this.#stepsLeft = options.steps;
  }

  add(step: PlacedStep): void {
    if (this.#stepsLeft-- <= 0) return;
    const { replica, batch } = step;
    const key = `${replica} ${batch}`;
    if (!this.#named.has(key)) this.#write(nameTracks(replica, batch));
    this.#named.add(key);
    this.#write(traceEventsOf(step, this.#pricer));
  }

  close(): void {
    this.#text += '\n]}\n';
    this.#flush();
    closeSync(this.#file);
  }

  #write(events: readonly TraceEvent[]): void {
    for (const event of events) {
      this.#text += `${this.#isFirst ? '' : ',\n'}${JSON.stringify(event)}`;
      this.#isFirst = false;
    }
    if (this.#text.length > BUFFERED_CHARACTERS) this.#flush();
  }

  #flush(): void {
    writeSync(this.#file, this.#text);
    this.#text = '';
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new InvalidArgumentError(
      `trace_out must be a file that can be written: ${(error as Error).message}`,
    );
  }
}
