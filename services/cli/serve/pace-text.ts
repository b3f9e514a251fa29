import { heldSpeed, type Pace, realTimeFactor } from '../../cluster/pacer.ts';

/** Below it a pace counts as not held: what is less lies within one step of a timer. */
const HELD_FACTOR = 0.98;

/** How well the host held the pace. */
export function paceSentence(pace: Pace): string {
  const device = seconds(pace.deviceMicros);
  const busy = seconds(pace.busyMicros);
  const times = `${device} s of device time in ${busy} busy seconds of the host`;
  const factor = realTimeFactor(pace);
  if (factor === undefined) return `Pace: ${times}: speed ${heldSpeed(pace).toFixed(3)}.`;
  return `Pace: ${times}: real-time factor ${factor.toFixed(3)} at speed ${pace.speed}.`;
}

/** A warning where the host has fallen behind since an earlier moment; undefined where it has not. */
export function fallenBehind(before: Pace | undefined, now: Pace): string | undefined {
  // A coordinator that was started anew counts from its own beginning.
  const since = before && before.deviceMicros <= now.deviceMicros ? before : undefined;
  const factor = realTimeFactor({
    ...now,
    deviceMicros: now.deviceMicros - (since?.deviceMicros ?? 0),
    busyMicros: now.busyMicros - (since?.busyMicros ?? 0),
  });
  if (factor === undefined || factor >= HELD_FACTOR) return undefined;
  return `This computer does not hold the pace: ${factor.toFixed(2)} of speed ${now.speed} lately.`;
}

function seconds(micros: number): string {
  return (micros / 1e6).toFixed(2);
}
