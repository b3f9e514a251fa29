import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../../bus/bus.ts';
import { isToken } from '../subjects.ts';

/**
 * The ids of the servers of a cluster that have a service, of those that say so within the time: by
 * the NATS services protocol, which knows no end of an answer.
 */
export async function findServers(
  bus: Bus,
  of: { readonly cluster: string; readonly service: string; readonly waitMs: number },
): Promise<readonly string[]> {
  const found = new Set<string>();
  const replyTo = bus.newInbox();
  const subscription = bus.subscribe(replyTo, ({ data }) => {
    const id = serverIdOf(data, of.cluster);
    if (id !== undefined) found.add(id);
  });
  try {
    bus.publish(`$SRV.PING.${of.service}`, new Uint8Array(), { replyTo });
    await delay(of.waitMs);
  } finally {
    subscription.unsubscribe();
  }
  return [...found].sort();
}

/** Undefined for what is no answer of the cluster, such as the broker's own where nobody listens. */
function serverIdOf(data: Uint8Array, cluster: string): string | undefined {
  try {
    const { id, metadata } = JSON.parse(Buffer.from(data).toString());
    return typeof id === 'string' && isToken(id) && metadata?.cluster === cluster ? id : undefined;
  } catch {
    return undefined;
  }
}
