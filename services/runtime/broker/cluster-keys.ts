import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { type Authorization, authorizationText, type BrokerUser } from './authorization.ts';
import type { BrokerRole } from './permissions.ts';

/** Who takes part in a cluster. */
export interface ClusterMembers {
  readonly cluster: string;
  readonly groups: readonly string[];
  /** The seats of each chip process of a group, spares included. */
  readonly chips: readonly (readonly number[])[];
  /** Names of those that use the SDK; each gets a key of its own. */
  readonly clients: readonly string[];
}

/** New keys of a cluster. */
export interface ClusterKeys {
  /** The part of the broker's configuration that knows the public halves. */
  readonly authorization: string;
  /** The seed of each member, by its name; it stays with the member. */
  readonly seeds: ReadonlyMap<string, string>;
}

export const AUTHORIZATION_FILE = 'authorization.conf';

const SYSTEM = 'system';

/** The file with the seed of a member, such as `chip-0-3`, below a directory of keys. */
export function seedFile(directory: string, member: string): string {
  return join(directory, `${member}.nk`);
}

/** What a member is called, in file names and in the broker's configuration. */
export function memberName(role: Exclude<BrokerRole, { kind: 'client' }>): string {
  if (role.kind === 'coordinator') return `coordinator-${role.group}`;
  if (role.kind === 'chip') return `chip-${role.group}-${role.seats.join('-')}`;
  return role.kind;
}

/** A chip process for each seat. */
export function oneSeatEach(count: number): number[][] {
  return Array.from({ length: count }, (_, seat) => [seat]);
}

/** Draws a key for every member, and one for who may look into the broker itself. */
export function createClusterKeys(
  members: ClusterMembers,
  anonymous?: Authorization['anonymous'],
): ClusterKeys {
  const seeds = new Map<string, string>();
  const newKey = (name: string): string => {
    const pair = nkeys.createUser();
    seeds.set(name, new TextDecoder().decode(pair.getSeed()));
    return pair.getPublicKey();
  };
  const users = rolesOf(members).map(
    ({ name, role }): BrokerUser => ({ name, role, publicKey: newKey(name) }),
  );
  const { cluster } = members;
  const systemPublicKey = newKey(SYSTEM);
  return {
    authorization: authorizationText({ cluster, users, systemPublicKey, anonymous }),
    seeds,
  };
}

/**
 * Writes keys into `directory`: each seed into a file that its owner alone may read, by default this
 * process's user. Nothing that is there is replaced: an Error says what is.
 */
export function writeClusterKeys(directory: string, keys: ClusterKeys, owner?: number): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const write = (path: string, text: string, mode: number): void => {
    writeNew(path, text, mode);
    if (owner !== undefined) chownSync(path, owner, owner);
  };
  write(join(directory, AUTHORIZATION_FILE), keys.authorization, 0o644);
  for (const [name, seed] of keys.seeds) write(seedFile(directory, name), `${seed}\n`, 0o600);
}

function rolesOf({ groups, chips, clients }: ClusterMembers) {
  const roles: readonly Exclude<BrokerRole, { kind: 'client' }>[] = [
    ...groups.flatMap((group) => [
      { kind: 'coordinator', group } as const,
      ...chips.map((seats) => ({ kind: 'chip', group, seats }) as const),
    ]),
    { kind: 'gateway' },
    { kind: 'monitoring' },
  ];
  return [
    ...roles.map((role) => ({ name: memberName(role), role })),
    ...clients.map((name) => ({ name: `client-${name}`, role: { kind: 'client' } as const })),
  ];
}

function writeNew(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { mode, flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw error;
    throw new Error(`${path} is there already: keys are not replaced`, { cause: error });
  }
}
