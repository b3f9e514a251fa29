import type { StepPrice } from '../../core/timing/step-price.ts';
import type { CountedStep } from './step-backlog.ts';

const SLOT_MICROS = 250_000;
const SLOTS = 8;
const MICROS_PER_SECOND = 1e6;

/** What the steps of some time add up to. Mutable: a slot is used again. */
export interface StepTotals {
  steps: number;
  promptTokens: number;
  generatedTokens: number;
  hostMicros: number;
  deviceSeconds: number;
  /** Shares of the modelled chip, each step's weighted with its host time. */
  mfuMicros: number;
  hbmMicros: number;
  linkMicros: number;
  /** Draw of all chips together, weighted likewise. */
  wattMicros: number;
}

/** Means over the window, on which all chips of a group agree: they work in step. */
export interface WindowMeans {
  readonly totals: Readonly<StepTotals>;
  readonly seconds: number;
  /** Share of host time in which a step ran. */
  readonly busy: number;
  readonly mfu: number;
  readonly hbmBandwidth: number;
  readonly linkBandwidth: number;
  /** Of all chips, while a step ran; whoever does not work draws something too. */
  readonly busyWatts: number;
}

/**
 * The last two seconds of an engine's steps. Utilisation is that of the modelled chips while they
 * work, and nothing while the emulation waits, so that it follows the load.
 */
export class StepWindow {
  readonly #slots = Array.from({ length: SLOTS }, () => ({ number: -1, totals: emptyTotals() }));
  readonly #startMicros: number;

  constructor(startMicros: number) {
    this.#startMicros = startMicros;
  }

  add({ beganMicros, durationMicros, price, promptTokens, sampled }: CountedStep): void {
    const totals = this.#slotAt(beganMicros + durationMicros);
    totals.steps++;
    totals.hostMicros += durationMicros;
    totals.promptTokens += promptTokens;
    totals.generatedTokens += sampled;
    if (price !== undefined) addPrice(totals, price, durationMicros);
  }

  means(nowMicros: number): WindowMeans {
    const last = Math.floor(nowMicros / SLOT_MICROS);
    const totals = emptyTotals();
    for (const slot of this.#slots) if (slot.number > last - SLOTS) addTotals(totals, slot.totals);
    const fromMicros = Math.max(this.#startMicros, (last - SLOTS + 1) * SLOT_MICROS);
    // A step may have begun before the window.
    const micros = Math.max(1, nowMicros - fromMicros, totals.hostMicros);
    return {
      totals,
      seconds: micros / MICROS_PER_SECOND,
      busy: totals.hostMicros / micros,
      mfu: totals.mfuMicros / micros,
      hbmBandwidth: totals.hbmMicros / micros,
      linkBandwidth: totals.linkMicros / micros,
      busyWatts: totals.wattMicros / micros,
    };
  }

  #slotAt(micros: number): StepTotals {
    const number = Math.floor(micros / SLOT_MICROS);
    const slot = this.#slots[number % SLOTS]!;
    if (slot.number !== number) {
      slot.number = number;
      Object.assign(slot.totals, emptyTotals());
    }
    return slot.totals;
  }
}

function addPrice(totals: StepTotals, price: StepPrice, hostMicros: number): void {
  const { low, high } = price.energyJoules;
  totals.deviceSeconds += price.seconds;
  totals.mfuMicros += price.mfu * hostMicros;
  totals.hbmMicros += price.hbmUtilization * hostMicros;
  totals.linkMicros += price.linkUtilization * hostMicros;
  totals.wattMicros += ((low + high) / 2 / price.seconds) * hostMicros;
}

function addTotals(sum: StepTotals, other: StepTotals): void {
  for (const key of Object.keys(sum) as (keyof StepTotals)[]) sum[key] += other[key];
}

function emptyTotals(): StepTotals {
  return {
    steps: 0,
    promptTokens: 0,
    generatedTokens: 0,
    hostMicros: 0,
    deviceSeconds: 0,
    mfuMicros: 0,
    hbmMicros: 0,
    linkMicros: 0,
    wattMicros: 0,
  };
}
