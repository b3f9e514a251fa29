import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClusterKeys, seedFile, writeClusterKeys } from '../broker/cluster-keys.ts';
import { anonymousPermissions } from '../broker/permissions.ts';

/** Keys that live as long as a cluster on this machine does. */
export interface EphemeralKeys {
  /** For the broker's configuration. */
  readonly authorization: string;
  /** The environment that makes a process connect as this member. */
  environment(member: string): Readonly<Record<string, string>>;
  /** Removes the seeds. */
  remove(): void;
}

/**
 * Makes keys for one group and what stands before it. Whoever else reaches this machine's loopback
 * may connect without one, and do what clients may.
 */
export function createEphemeralKeys(place: {
  readonly cluster: string;
  readonly group: string;
  /** The seats of each chip process. */
  readonly chips: readonly (readonly number[])[];
}): EphemeralKeys {
  const { cluster, group, chips } = place;
  const anonymous = { permissions: anonymousPermissions(cluster), password: randomUUID() };
  const keys = createClusterKeys({ cluster, groups: [group], chips, clients: [] }, anonymous);
  const directory = mkdtempSync(join(tmpdir(), 'sohu-keys-'));
  writeClusterKeys(directory, keys);
  return {
    authorization: keys.authorization,
    environment: (member) => ({ SOHU_NATS_NKEY_FILE: seedFile(directory, member) }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
