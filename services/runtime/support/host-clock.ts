/**
 * Host time in whole microseconds since 1970: never goes back in a process, and means the same in all
 * processes of a machine.
 */
export function hostMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}
