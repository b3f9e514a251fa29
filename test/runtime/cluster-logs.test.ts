import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { suite, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { readLines } from '../../services/runtime/process/read-lines.ts';
import { spawnNode } from '../../services/runtime/process/spawn-node.ts';
import {
  ClusterLogs,
  listClusterLogs,
  logDirectoryOf,
  openClusterLogs,
} from '../../services/runtime/state/cluster-logs.ts';
import {
  LogReader,
  listLoggedProcesses,
  mergeLines,
} from '../../services/runtime/state/read-logs.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

/** Logs whose clock goes on by a millisecond a line. */
function makeLogs(t: TestContext): ClusterLogs {
  let nowMs = 0;
  const logs = new ClusterLogs(join(makeTemporaryDirectory(t), 'logs'), () => nowMs++);
  t.after(() => logs.close());
  return logs;
}

/** A state directory for the length of one test. */
function useStateDirectory(t: TestContext): void {
  const before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = makeTemporaryDirectory(t);
  t.after(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
  });
}

suite('logs of a cluster', () => {
  test('are a file for each process, in the order of chips', (t) => {
    const logs = makeLogs(t);
    for (const name of ['chip 10', 'the gRPC server', 'chip 2', 'the coordinator']) logs.of(name);
    assert.deepEqual(listLoggedProcesses(logs.directory), [
      ...['chip-2', 'chip-10', 'coordinator', 'grpc-server'],
    ]);
    assert.deepEqual(listLoggedProcesses(join(logs.directory, 'none')), []);
  });

  test('merge by the moments at which lines came', (t) => {
    const logs = makeLogs(t);
    const [first, second] = [logs.of('chip 0'), logs.of('chip 1')];
    first('a');
    second('b');
    first('c d');
    const readers = ['chip-0', 'chip-1'].map((name) => new LogReader(logs.directory, name));
    const lines = mergeLines(readers.map((reader) => reader.read()));
    assert.deepEqual(lines, [
      { process: 'chip-0', time: '1970-01-01T00:00:00.000Z', text: 'a' },
      { process: 'chip-1', time: '1970-01-01T00:00:00.001Z', text: 'b' },
      { process: 'chip-0', time: '1970-01-01T00:00:00.002Z', text: 'c d' },
    ]);
  });

  test('a reader that follows sees every line once, across rotations', (t) => {
    const logs = makeLogs(t);
    const write = logs.of('broker');
    const reader = new LogReader(logs.directory, 'broker');
    const seen: string[] = [];
    const filler = 'x'.repeat(2000);
    const count = 2500; // Five megabytes: the file is rotated several times.
    for (let index = 0; index < count; index++) {
      write(`${index} ${filler}`);
      if (index % 100 === 0) seen.push(...reader.read().map(({ text }) => text.split(' ')[0]!));
    }
    seen.push(...reader.read().map(({ text }) => text.split(' ')[0]!));
    assert.deepEqual(
      seen,
      Array.from({ length: count }, (_, index) => String(index)),
    );
    assert.equal(readdirSync(logs.directory).length, 3);
  });

  test('a line that is written after the end is lost, and breaks nothing', (t) => {
    const logs = makeLogs(t);
    const write = logs.of('chip 0');
    logs.close();
    write('late');
    assert.deepEqual(new LogReader(logs.directory, 'chip-0').read(), []);
  });

  test('of the clusters before the last ones are removed, unless they run', (t) => {
    useStateDirectory(t);
    const runs = (pid: number): boolean => pid === 1;
    for (let pid = 1; pid <= 12; pid++) openClusterLogs(pid, runs).close();
    assert.deepEqual(new Set(listClusterLogs()), new Set([1, 5, 6, 7, 8, 9, 10, 11, 12].slice(0)));
    assert.ok(existsSync(logDirectoryOf(12)));
  });

  test('of a process do not hold those of an earlier one with its number', (t) => {
    useStateDirectory(t);
    const before = openClusterLogs(7, () => false);
    before.of('chip 0')('old');
    before.close();
    openClusterLogs(7, () => false).close();
    assert.deepEqual(listLoggedProcesses(logDirectoryOf(7)), []);
  });
});

suite('lines of a process', () => {
  test('come whole however they are cut, the last one too', async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    readLines(stream, (line) => lines.push(line));
    for (const chunk of ['on', 'e\ntw', 'o\n\nthr', 'ee']) stream.write(chunk);
    stream.end();
    while (!stream.readableEnded) await turn();
    assert.deepEqual(lines, ['one', 'two', '', 'three']);
  });

  test('without an end are passed on in pieces', async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    readLines(stream, (line) => lines.push(line));
    stream.end('x'.repeat(40_000));
    while (!stream.readableEnded) await turn();
    assert.deepEqual(
      lines.map(({ length }) => length),
      [16_384, 16_384, 7_232],
    );
  });

  test('of both outputs of a child are taken', async (t) => {
    const lines: string[] = [];
    const script = 'console.log("out"); console.error("err")';
    const child = spawnNode({
      name: 'a child',
      entry: '-e',
      args: [script],
      output: (line) => lines.push(line),
    });
    t.after(() => child.stop());
    const { code, stderrTail } = await child.exited;
    assert.deepEqual([code, stderrTail], [0, 'err']);
    assert.deepEqual(lines.sort(), ['err', 'out']);
  });
});
