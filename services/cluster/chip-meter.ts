import type { DropReason } from './exchange-runner.ts';
import type { ChipCounters } from './messages.ts';
import type { StepFault } from './step-check.ts';

/** One step on one chip, in host time. */
export interface StepTimes {
  /** Rows computed. */
  readonly tokens: number;
  readonly computeMicros: number;
  /** Waiting for other chips included. */
  readonly communicationMicros: number;
}

/**
 * Counts what a chip does, and divides the host time of its steps into computing and waiting for
 * exchanges.
 */
export class ChipMeter {
  readonly #drops = new Map<DropReason, number>();
  readonly #refusals = new Map<StepFault, number>();
  #steps = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  #computeMicros = 0;
  #communicationMicros = 0;
  #computeStart = 0;
  #stepStart = 0;
  #computeBeforeStep = 0;
  #tokens = 0;
  #lastStep: StepTimes = { tokens: 0, computeMicros: 0, communicationMicros: 0 };

  get counters(): ChipCounters {
    return {
      steps: this.#steps,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      computeMicros: this.#computeMicros,
      communicationMicros: this.#communicationMicros,
      droppedFrames: [...this.#drops.values()].reduce((sum, count) => sum + count, 0),
    };
  }

  /** Frames that were not used, by reason. */
  get drops(): ReadonlyMap<DropReason, number> {
    return this.#drops;
  }

  /** Step commands that were not executed, by what was wrong with them. */
  get refusals(): ReadonlyMap<StepFault, number> {
    return this.#refusals;
  }

  /** How the last complete step divided its time. */
  get lastStep(): StepTimes {
    return this.#lastStep;
  }

  stepBegan(nowMicros: number, tokens: number): void {
    this.#tokens = tokens;
    this.#stepStart = nowMicros;
    this.#computeBeforeStep = this.#computeMicros;
  }

  stepEnded(nowMicros: number): void {
    const stepMicros = nowMicros - this.#stepStart;
    const computeMicros = this.#computeMicros - this.#computeBeforeStep;
    this.#steps++;
    const communicationMicros = stepMicros - computeMicros;
    this.#communicationMicros += communicationMicros;
    this.#lastStep = { tokens: this.#tokens, computeMicros, communicationMicros };
  }

  computeBegan(nowMicros: number): void {
    this.#computeStart = nowMicros;
  }

  computeEnded(nowMicros: number): void {
    this.#computeMicros += nowMicros - this.#computeStart;
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes;
  }

  /** Counts a frame as it came, envelope included. */
  received(bytes: number): void {
    this.#bytesReceived += bytes;
  }

  dropped(reason: DropReason): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
  }

  refused(fault: StepFault): void {
    this.#refusals.set(fault, (this.#refusals.get(fault) ?? 0) + 1);
  }
}
