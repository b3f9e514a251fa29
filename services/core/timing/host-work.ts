import type { VersionParameters } from './calibration-model.ts';
import type { StepShape } from './step-shape.ts';

const MICROS = 1e-6;

/** What a step waits for on the host. */
export interface HostWork {
  /** Beyond the seconds that the chip works; a replayed step has its kernels launched at once. */
  waitSeconds(shape: StepShape, chipSeconds: number, isReplayed: boolean): number;
}

/**
 * The host launches kernels ahead of the chip, so that launching shows only where it takes longer than they do. What
 * it does for a step and its sequences comes after the chip's work, or beside it where scheduling overlaps.
 */
export function makeHostWork(version: VersionParameters, layers: number): HostWork {
  const launchSeconds = layers * version.launchMicros * MICROS;
  const { hostMicros, hostMicrosPerSequence, hostOverlaps } = version;
  return {
    waitSeconds({ sampledRows }, chipSeconds, isReplayed) {
      const launching = isReplayed ? 0 : launchSeconds;
      const scheduling = (hostMicros + hostMicrosPerSequence * sampledRows) * MICROS;
      return hostOverlaps
        ? Math.max(0, launching + scheduling - chipSeconds)
        : Math.max(0, launching - chipSeconds) + scheduling;
    },
  };
}
