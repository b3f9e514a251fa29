import type { Range } from '../../core/hardware/figure.ts';
import type { StepPrice } from '../../core/timing/step-price.ts';

/** What the chips of all replicas have done, added up step by step. */
export class DeviceUsage {
  steps = 0;
  /** Time from step to step, of all replicas, while there was something to do. */
  deviceSeconds = 0;
  #mfuSeconds = 0;
  #hbmSeconds = 0;
  #linkSeconds = 0;
  #lowJoules = 0;
  #highJoules = 0;

  add(price: StepPrice): void {
    const { intervalSeconds } = price;
    this.steps++;
    this.deviceSeconds += intervalSeconds;
    this.#mfuSeconds += price.mfu * intervalSeconds;
    this.#hbmSeconds += price.hbmUtilization * intervalSeconds;
    this.#linkSeconds += price.linkUtilization * intervalSeconds;
    this.#lowJoules += price.energyJoules.low;
    this.#highJoules += price.energyJoules.high;
  }

  /** Of the chips' steps alone. */
  get stepJoules(): Range {
    return { low: this.#lowJoules, high: this.#highJoules };
  }

  /** Means over that many seconds of so many replicas, idle time included. */
  utilizations(seconds: number, replicas: number) {
    const total = seconds * replicas;
    return {
      mfu: this.#mfuSeconds / total,
      hbmUtilization: this.#hbmSeconds / total,
      linkUtilization: this.#linkSeconds / total,
    };
  }
}
