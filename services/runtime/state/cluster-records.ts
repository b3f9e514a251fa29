import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFields } from '../../core/support/fields.ts';
import type { ServingOptions } from '../options/serving-options.ts';
import { stateDirectory } from './state-directory.ts';

/** A cluster that serves on this machine; its files are absolute paths. */
export interface ClusterRecord extends ServingOptions {
  /** The process that the cluster ends with. */
  readonly pid: number;
  readonly natsUrl: string;
  readonly cluster: string;
  /** Base URL of the gateway; absent where there is none. */
  readonly gatewayUrl?: string | undefined;
}

/** What a cluster must have; what is absent may be anything. */
export type WantedCluster = Partial<ServingOptions & Pick<ClusterRecord, 'cluster'>>;

/**
 * Lets other programs of this user find a cluster of this process; returns what makes them forget
 * it.
 */
export async function recordCluster(record: ClusterRecord): Promise<() => void> {
  const directory = recordsDirectory();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${record.pid}.json`);
  const staged = `${path}.new`;
  await writeFile(staged, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(staged, path);
  return () => rmSync(path, { force: true });
}

/** The recorded clusters whose process lives and that are as wanted, the last started first. */
export function findRunningClusters(wanted: WantedCluster = {}): ClusterRecord[] {
  return listRecordFiles()
    .filter(({ path, pid }) => isAlive(pid) || forget(path))
    .flatMap(({ path }) => readRecord(path) ?? [])
    .filter((record) => matches(record, wanted));
}

function recordsDirectory(): string {
  return join(stateDirectory(), 'clusters');
}

function listRecordFiles(): { readonly path: string; readonly pid: number }[] {
  const directory = recordsDirectory();
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return []; // Nothing was recorded yet.
  }
  return names
    .filter((name) => /^\d+\.json$/.test(name))
    .map((name) => join(directory, name))
    .map((path) => ({ path, changedMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.changedMs - a.changedMs)
    .map(({ path }) => ({ path, pid: Number.parseInt(path.slice(directory.length + 1), 10) }));
}

/** A process of another user, which must not be signalled, is none of ours. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function forget(path: string): false {
  rmSync(path, { force: true });
  return false;
}

function readRecord(path: string): ClusterRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isFields(record) && typeof record.natsUrl === 'string') {
      return record as unknown as ClusterRecord;
    }
  } catch {
    // Removed since it was listed.
  }
  return undefined;
}

function matches(record: ClusterRecord, wanted: WantedCluster): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => value === undefined || record[name as keyof ClusterRecord] === value,
  );
}
