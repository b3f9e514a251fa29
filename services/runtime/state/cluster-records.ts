import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
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
  mkdirSync(recordsDirectory(), { recursive: true, mode: 0o700 });
  const path = recordFile(record.pid);
  const staged = `${path}.new`;
  const whole = { ...record, processStart: processStart(record.pid) };
  await writeFile(staged, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 });
  renameSync(staged, path);
  return () => forgetCluster(record.pid);
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

/** Takes away what is recorded of the cluster of a process. */
export function forgetCluster(pid: number): void {
  forget(recordFile(pid));
}

/** Leaves word how long requests may still take once the cluster's process is told to stop. */
export function leaveStopOrder(pid: number, drainMs: number): void {
  writeFileSync(orderFile(recordFile(pid)), JSON.stringify({ drainMs }), { mode: 0o600 });
}

/** How long requests may still take; undefined where nobody left word. */
export function readStopOrder(pid: number): number | undefined {
  try {
    const order: unknown = JSON.parse(readFileSync(orderFile(recordFile(pid)), 'utf8'));
    return isFields(order) && typeof order.drainMs === 'number' ? order.drainMs : undefined;
  } catch {
    return undefined;
  }
}

function recordFile(pid: number): string {
  return join(recordsDirectory(), `${pid}.json`);
}

function orderFile(record: string): string {
  return record.replace(/json$/, 'stop');
}

function recordsDirectory(): string {
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
      const pid = Number.parseInt(basename(path), 10);
      return record === undefined ? [] : [{ path, record: { ...record, pid } }];
    });
}

function forget(path: string): false {
  rmSync(path, { force: true });
  rmSync(orderFile(path), { force: true });
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
