import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PARENT_VARIABLE } from '../../services/runtime/process/exit-with-parent.ts';
import { spawnGuarded } from '../../services/runtime/process/spawn-guarded.ts';
import { spawnNode } from '../../services/runtime/process/spawn-node.ts';
import { natsServerBinary } from '../support/broker.ts';
import { isRunning, untilGone } from './fixtures/programs.ts';

const childEntry = fileURLToPath(new URL('./fixtures/child-main.js', import.meta.url));
const parentEntry = fileURLToPath(new URL('./fixtures/parent-main.js', import.meta.url));

interface Family {
  readonly parent: ChildProcess;
  /** The broker's and the two children's. */
  readonly pids: readonly number[];
  /** Everything that the parent prints later. */
  readonly output: AsyncIterableIterator<string>;
}

async function startFamily(t: TestContext, mode?: 'orderly'): Promise<Family | undefined> {
  const binary = await natsServerBinary(t);
  if (binary === undefined) return undefined;
  const parent = spawn(process.execPath, [parentEntry, binary, ...(mode ? [mode] : [])], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => parent.kill('SIGKILL'));
  const output = createInterface({ input: parent.stdout! })[Symbol.asyncIterator]();
  const pids = JSON.parse((await output.next()).value) as number[];
  return { parent, pids, output };
}

function startChild(mode: string): {
  process: ReturnType<typeof spawnNode>;
  said: Promise<unknown>;
} {
  let resolve: (message: unknown) => void;
  const said = new Promise<unknown>((settle) => {
    resolve = settle;
  });
  const child = spawnNode({
    name: `${mode} child`,
    entry: childEntry,
    args: [mode],
    output: 'ignore',
    onMessage: (message) => resolve(message),
  });
  return { process: child, said };
}

suite('processes of a parent that dies', () => {
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    test(`${signal} to the parent ends its broker and its children`, async (t) => {
      const family = await startFamily(t);
      if (family === undefined) return;
      const { parent, pids } = family;
      for (const pid of pids) assert.ok(await isRunning(pid));
      parent.kill(signal);
      await once(parent, 'exit');
      await Promise.all(pids.map(untilGone));
    });
  }

  test('the guard ends also a program that is stopped and cannot obey', async (t) => {
    const family = await startFamily(t);
    if (family === undefined) return;
    process.kill(family.pids[0]!, 'SIGSTOP');
    family.parent.kill('SIGKILL');
    await untilGone(family.pids[0]!);
  });

  test("a terminal's Ctrl-C reaches only the parent, which stops the others in order", async (t) => {
    const family = await startFamily(t, 'orderly');
    if (family === undefined) return;
    const { parent, pids, output } = family;
    process.kill(-parent.pid!, 'SIGINT');
    const lines: string[] = [];
    for await (const line of output) lines.push(line);
    assert.deepEqual(lines, ['left null SIGTERM', 'right null SIGTERM', 'broker']);
    for (const pid of pids) assert.ok(!(await isRunning(pid)));
  });
});

suite('exitWithParent', () => {
  const runAlone = async (env: Record<string, string>) => {
    const child = spawn(process.execPath, [childEntry, 'clean'], { env, stdio: 'ignore' });
    return (await once(child, 'exit'))[0];
  };

  test('ends a child whose parent was gone before it looked', async () => {
    assert.equal(await runAlone({ [PARENT_VARIABLE]: '1' }), 1);
  });

  test('leaves a process alone that nobody of ours started', async () => {
    assert.equal(await runAlone({}), 0);
  });
});

suite('ManagedProcess', () => {
  test('a child that has finished its work exits, although its parent lives', async () => {
    const child = startChild('clean');
    assert.deepEqual(await child.process.exited, { code: 0, signal: null, stderrTail: '' });
    assert.equal(await child.said, 'done');
    await child.process.stop();
  });

  test('keeps the last lines of standard error', async () => {
    const { process: child } = startChild('crash');
    const exit = { code: 3, signal: null, stderrTail: 'first line\nthe last line' };
    assert.deepEqual(await child.exited, exit);
  });

  test('stop ends a busy child with SIGTERM', async () => {
    const child = startChild('busy');
    await child.said;
    await child.process.stop();
    assert.equal((await child.process.exited).signal, 'SIGTERM');
  });

  test('stop ends a child that ignores SIGTERM, and the children of that child', async () => {
    const child = startChild('stubborn');
    const grandchildPid = (await child.said) as number;
    await child.process.stop(50);
    assert.equal((await child.process.exited).signal, 'SIGKILL');
    await untilGone(grandchildPid);
  });

  test('a guarded program keeps its own pid, exit code and standard error', async () => {
    const script = 'echo $$ $1 >&2; exit 7';
    const child = spawnGuarded({
      name: 'sh',
      command: 'sh',
      args: ['-c', script, 'sh', "it's $x"],
    });
    const exit = { code: 7, signal: null, stderrTail: `${child.pid} it's $x` };
    assert.deepEqual(await child.exited, exit);
  });
});
