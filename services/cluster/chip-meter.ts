import type { DropReason } from './exchange-runner.ts';
import type { ChipCounters } from './messages.ts';
import type { StepFault } from './step-check.ts';
import type { ComputeKind, ExchangeTimes, SegmentTimes, StepTimes } from './step-times.ts';

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
  #computing: Pick<SegmentTimes, 'segment' | 'layer' | 'beganMicros'> = NOTHING;
  #stepStart = 0;
  #computeBeforeStep = 0;
  #tokens = 0;
  #segments: SegmentTimes[] = [];
  #exchanges: ExchangeTimes[] = [];
  #lastStep: StepTimes | undefined;

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

  /** How the last complete step divided its time; undefined before the first. */
  get lastStep(): StepTimes | undefined {
    return this.#lastStep;
  }

  stepBegan(nowMicros: number, tokens: number): void {
    this.#tokens = tokens;
    this.#stepStart = nowMicros;
    this.#computeBeforeStep = this.#computeMicros;
    this.#segments = [];
    this.#exchanges = [];
  }

  stepEnded(nowMicros: number): void {
    const stepMicros = nowMicros - this.#stepStart;
    const computeMicros = this.#computeMicros - this.#computeBeforeStep;
    this.#steps++;
    const communicationMicros = stepMicros - computeMicros;
    this.#communicationMicros += communicationMicros;
    this.#lastStep = {
      beganMicros: this.#stepStart,
      endedMicros: nowMicros,
      tokens: this.#tokens,
      computeMicros,
      communicationMicros,
      segments: this.#segments,
      exchanges: this.#exchanges,
    };
  }

  computeBegan(
    nowMicros: number,
    { segment, layer }: { readonly segment: ComputeKind; readonly layer: number },
  ): void {
    this.#computing = { segment, layer, beganMicros: nowMicros };
  }

  computeEnded(nowMicros: number): void {
    const { segment, layer, beganMicros } = this.#computing;
    this.#computeMicros += nowMicros - beganMicros;
    this.#segments.push({ segment, layer, beganMicros, endedMicros: nowMicros });
  }

  exchanged(times: ExchangeTimes): void {
    this.#exchanges.push(times);
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

const NOTHING = { segment: 'head', layer: 0, beganMicros: 0 } as const;
