import type { StepPricer } from '../../core/timing/step-pricer.ts';
import type { PlacedStep } from '../../sim/capacity/simulate-capacity.ts';
import { nameTracks, traceEventsOf } from '../../sim/capacity/trace-events.ts';
import { ChromeTraceFile } from './chrome-trace-file.ts';

/** Writes the first steps of a simulation as a Chrome trace. */
export class SimTrace {
  readonly #file: ChromeTraceFile;
  readonly #pricer: StepPricer;
  readonly #named = new Set<string>();
  #stepsLeft: number;

  constructor(path: string, options: { readonly pricer: StepPricer; readonly steps: number }) {
    this.#file = new ChromeTraceFile(path, { field: 'trace_out', clock: 'device' });
    this.#pricer = options.pricer;
    this.#stepsLeft = options.steps;
  }

  add(step: PlacedStep): void {
    if (this.#stepsLeft-- <= 0) return;
    const { replica, batch } = step;
    const key = `${replica} ${batch}`;
    if (!this.#named.has(key)) this.#file.write(nameTracks(replica, batch));
    this.#named.add(key);
    this.#file.write(traceEventsOf(step, this.#pricer));
  }

  close(): void {
    this.#file.close();
  }
}
