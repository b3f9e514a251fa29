import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { makeCliEnvironment, runCli, untilAllGone } from '../../support/cli.ts';
import { listClusters, startDetached, startLongRun } from '../../support/detached-cluster.ts';

suite('sohu down of a cluster', () => {
  test('whose time is up cancels what it accepted', async (t) => {
    const detached = await startDetached(t);
    if (detached === undefined) return;
    const { env, cluster, processes } = detached;
    const run = await startLongRun(t, env, 900);
    const down = await runCli(t, env, ['down', '--all', '--timeout', '0', '--json']);
    assert.equal(down.code, 0, down.stderr);
    const [{ duration_ms, ...ended }] = JSON.parse(down.stdout);
    assert.deepEqual(ended, { cluster: 'sohu', pid: cluster.pid, outcome: 'stopped' });
    assert.ok(duration_ms > 0);
    const { code, stderr } = await run.exited;
    assert.equal(code, 1);
    assert.match(stderr, /error: the server is stopping\n$/);
    await untilAllGone(processes);
  });

  test('is told apart from others by its name, and all of them end with --all', async (t) => {
    const first = await startDetached(t, ['--cluster', 'rack-1']);
    if (first === undefined) return;
    const { env } = first;
    await startDetached(t, ['--cluster', 'rack-2'], env);
    const unclear = await runCli(t, env, ['down']);
    assert.equal(unclear.code, 2);
    assert.match(unclear.stderr, /for 2 run: rack-2 \(pid \d+\), rack-1 \(pid \d+\)/);
    const slip = await runCli(t, env, ['down', 'rack-3']);
    assert.equal(slip.code, 2);
    assert.match(slip.stderr, /rack-2 \(pid \d+\), rack-1 \(pid \d+\), not "rack-3"/);
    const one = await runCli(t, env, ['down', 'rack-1']);
    assert.match(one.stderr, /^rack-1 .* stopped/);
    const names = (await listClusters(t, env)).map(({ cluster }) => cluster);
    assert.deepEqual(names, ['rack-2']);
    assert.equal((await runCli(t, env, ['down', '--all'])).code, 0);
    assert.deepEqual(await listClusters(t, env), []);
  });
});

suite('where no cluster runs', () => {
  test('ps, logs and down say so, and fail nothing', async (t) => {
    const env = makeCliEnvironment(t);
    const ps = await runCli(t, env, ['ps']);
    assert.deepEqual(ps, {
      code: 0,
      stdout: '',
      stderr: 'No cluster runs: `sohu up` starts one.\n',
    });
    const json = await runCli(t, env, ['ps', '--json']);
    assert.deepEqual([json.code, json.stdout], [0, '[]\n']);
    const logs = await runCli(t, env, ['logs']);
    assert.deepEqual([logs.code, logs.stdout], [0, '']);
    const down = await runCli(t, env, ['down']);
    assert.deepEqual(down, { code: 0, stdout: '', stderr: 'No cluster runs.\n' });
    const none = await runCli(t, env, ['down', '--json']);
    assert.deepEqual([none.code, none.stdout], [0, '[]\n']);
  });

  test('down cleans the record of one that ended without a word', async (t) => {
    const env = makeCliEnvironment(t);
    await runCli(t, env, ['down']);
    const directory = join(env.XDG_STATE_HOME!, 'sohu', 'clusters');
    const detached = await startDetached(t, [], env);
    if (detached === undefined) return;
    const path = join(directory, `${detached.cluster.pid}.json`);
    const record = readFileSync(path, 'utf8');
    process.kill(detached.cluster.pid, 'SIGKILL');
    await untilAllGone(detached.processes);
    assert.equal(readFileSync(path, 'utf8'), record);
    writeFileSync(join(directory, `${detached.cluster.pid}.stop`), '{"drainMs":1}');
    const { code, stderr } = await runCli(t, env, ['down']);
    assert.equal(code, 0);
    assert.equal(stderr, 'Cleaned 1 record of clusters whose process is gone.\nNo cluster runs.\n');
    assert.ok(!existsSync(path));
    assert.deepEqual(readdirSync(directory), []);
  });
});
