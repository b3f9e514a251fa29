import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFields } from '../../core/support/fields.ts';
import type { ServingOptions } from '../options/serving-options.ts';
import { isRunning, processStart } from '../process/process-identity.ts';
import { stateDirectory } from './state-directory.ts';

/** A cluster that serves on this machine; its files are absolute paths. */
export interface ClusterRecord extends ServingOptions {
  /** The process that the cluster ends with. */
  readonly pid: number;
  readonly natsUrl: string;
  readonly cluster: string;
  /** Base URL of the gateway; absent where there is none. */
  readonly gatewayUrl?: string | undefined;
  /** `host:port` of gRPC; absent where it is not served. */
  readonly grpcAddress?: string | undefined;
  /** `host:port` of the coordinator's metrics. */
  readonly metricsAddress?: string | undefined;
  /** When the process began, as `processStart` tells it: a later one may get the same number. */
  readonly processStart?: string | undefined;
  /** When it began to serve, in ISO 8601. */
  readonly startedAt?: string | undefined;
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
  const whole = { ...record, processStart: processStart(record.pid) };
  await writeFile(staged, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 });
  renameSync(staged, path);
  return () => rmSync(path, { force: true });
}

/** The recorded clusters whose process lives and that are as wanted, the last started first. */
export function findRunningClusters(wanted: WantedCluster = {}): ClusterRecord[] {
  return listRecords()
    .filter(({ path, record }) => isRunning(record.pid, record.processStart) || forget(path))
    .map(({ record }) => record)
    .filter((record) => matches(record, wanted));
}

/** The recorded clusters whose process ended without taking its record away. */
export function findStaleClusters(): ClusterRecord[] {
  return listRecords()
    .map(({ record }) => record)
    .filter(({ pid, processStart }) => !isRunning(pid, processStart));
}

/** Takes the record of a cluster away whose process is gone. */
export function forgetCluster({ pid }: ClusterRecord): void {
  forget(join(recordsDirectory(), `${pid}.json`));
}

/** Where the records are, and what else concerns a recorded cluster. */
export function recordsDirectory(): string {
  return join(stateDirectory(), 'clusters');
}

function listRecords(): { readonly path: string; readonly record: ClusterRecord }[] {
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
    .flatMap(({ path }) => {
      const record = readRecord(path);
      return record === undefined ? [] : [{ path, record }];
    });
}

function forget(path: string): false {
  rmSync(path, { force: true });
  return false;
}

function readRecord(path: string): ClusterRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isFields(record) && typeof record.natsUrl === 'string' && Number.isInteger(record.pid)) {
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
