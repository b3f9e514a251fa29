import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { isRunning, processStart } from '../../services/runtime/process/process-identity.ts';
import {
  type ClusterRecord,
  findRunningClusters,
  findStaleClusters,
  forgetCluster,
  leaveStopOrder,
  readStopOrder,
  recordCluster,
} from '../../services/runtime/state/cluster-records.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const NEVER_A_PID = 4_194_999;

function useStateDirectory(t: TestContext): string {
  const before = process.env.XDG_STATE_HOME;
  const directory = makeTemporaryDirectory(t);
  process.env.XDG_STATE_HOME = directory;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
  });
  return join(directory, 'sohu', 'clusters');
}

function record(pid: number, cluster: string): Promise<() => void> {
  return recordCluster({ pid, cluster, natsUrl: 'nats://127.0.0.1:1' } as ClusterRecord);
}

const namesOf = (records: readonly ClusterRecord[]): string[] =>
  records.map(({ cluster }) => cluster);

suite('records of clusters', () => {
  test('of processes that live are found, by what is wanted', async (t) => {
    useStateDirectory(t);
    const forget = await record(process.pid, 'here');
    assert.deepEqual(namesOf(findRunningClusters()), ['here']);
    assert.deepEqual(namesOf(findRunningClusters({ cluster: 'here' })), ['here']);
    assert.deepEqual(findRunningClusters({ cluster: 'there' }), []);
    forget();
    assert.deepEqual(findRunningClusters(), []);
  });

  test('of processes that are gone are stale until somebody looks for a cluster', async (t) => {
    useStateDirectory(t);
    await record(NEVER_A_PID, 'gone');
    assert.deepEqual(namesOf(findStaleClusters()), ['gone']);
    assert.deepEqual(findRunningClusters(), []);
    assert.deepEqual(findStaleClusters(), []);
  });

  test('are not taken for those of a later process with the same number', async (t) => {
    const directory = useStateDirectory(t);
    await record(process.pid, 'earlier');
    const path = join(directory, `${process.pid}.json`);
    const earlier = JSON.parse(readFileSync(path, 'utf8'));
    assert.equal(earlier.processStart, processStart(process.pid));
    writeFileSync(path, JSON.stringify({ ...earlier, processStart: '1' }));
    assert.deepEqual(namesOf(findStaleClusters()), ['earlier']);
    assert.deepEqual(findRunningClusters(), []);
  });

  test('that are damaged are passed over', async (t) => {
    const directory = useStateDirectory(t);
    await record(process.pid, 'here');
    writeFileSync(join(directory, '12.json'), '{');
    assert.deepEqual(namesOf(findRunningClusters()), ['here']);
  });

  test('an order to stop stays until the record goes', async (t) => {
    useStateDirectory(t);
    await record(NEVER_A_PID, 'gone');
    assert.equal(readStopOrder(NEVER_A_PID), undefined);
    leaveStopOrder(NEVER_A_PID, 1500);
    assert.equal(readStopOrder(NEVER_A_PID), 1500);
    forgetCluster(NEVER_A_PID);
    assert.equal(readStopOrder(NEVER_A_PID), undefined);
    assert.deepEqual(findStaleClusters(), []);
  });
});

suite('whether a process runs', () => {
  test('is known by its number and by when it began', () => {
    assert.ok(isRunning(process.pid));
    assert.ok(isRunning(process.pid, processStart(process.pid)));
    assert.ok(!isRunning(NEVER_A_PID));
  });

  test('is denied of one that has ended and that nobody asked about', async (t) => {
    // The shell does not wait for its child, which stays as what is left of a process.
    const shell = spawn('/bin/sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.after(() => shell.kill('SIGKILL'));
    const [line] = await once(shell.stdout, 'data');
    const pid = Number(`${line}`);
    while (isRunning(pid)) await new Promise(setImmediate);
    assert.ok(process.kill(pid, 0), 'its number is still taken');
  });
});
