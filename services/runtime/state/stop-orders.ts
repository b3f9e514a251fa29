import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFields } from '../../core/support/fields.ts';
import { recordsDirectory } from './cluster-records.ts';

/**
 * Leaves word for the process of a recorded cluster how long its requests may still take once it is
 * told to stop. It comes before the signal, which carries nothing.
 */
export function leaveStopOrder(pid: number, drainMs: number): void {
  writeFileSync(orderFile(pid), JSON.stringify({ drainMs }), { mode: 0o600 });
}

/** Takes the order for a process; 0 where there is none. */
export function takeStopOrder(pid: number): number {
  const path = orderFile(pid);
  try {
    const order: unknown = JSON.parse(readFileSync(path, 'utf8'));
    rmSync(path, { force: true });
    return isFields(order) && typeof order.drainMs === 'number' ? order.drainMs : 0;
  } catch {
    return 0;
  }
}

function orderFile(pid: number): string {
  return join(recordsDirectory(), `${pid}.stop`);
}
