import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { runCli, startCli, untilAllGone } from '../../support/cli.ts';
import { listClusters, startDetached, startLongRun } from '../../support/detached-cluster.ts';

suite('a cluster in the background', () => {
  test('is listed, logs what its processes do, and ends with sohu down', async (t) => {
    const detached = await startDetached(t, ['--grpc-port', '0']);
    if (detached === undefined) return;
    const { env, cluster, processes } = detached;
    assert.ok(processes.length >= 7, 'sohu, broker, gRPC, two chips, coordinator and gateway');

    await t.test('sohu ps tells what it is, as a table and as JSON', async () => {
      const { pid: _pid, started_at, uptime_s, ...rest } = cluster;
      assert.deepEqual(Object.keys(rest), [
        ...['cluster', 'state', 'model', 'model_path', 'precision', 'chips', 'http_url'],
        ...['nats_url', 'grpc_address', 'metrics_url', 'log_directory'],
      ]);
      assert.deepEqual(
        [rest.cluster, rest.state, rest.model, rest.precision, rest.chips],
        ['sohu', 'serving', 'tinystories-5m', 'fp8', 2],
      );
      assert.ok(Math.abs(Date.now() - Date.parse(`${started_at}`)) < 600_000);
      assert.ok(Number.isInteger(uptime_s));
      assert.equal((await fetch(`${rest.http_url}/health`)).status, 200);
      assert.equal((await fetch(`${rest.metrics_url}`)).status, 200);
      const { stdout } = await runCli(t, env, ['ps']);
      assert.match(stdout, /│ sohu +│ serving +│ tinystories-5m +│ fp8 +│ +2 │/);
    });

    await t.test('sohu logs shows all processes, or one, in the order of time', async () => {
      const { stdout } = await runCli(t, env, ['logs']);
      assert.match(stdout, /^broker +\| \S+Z .*Server is ready$/m);
      assert.match(stdout, /^sohu +\| \S+Z chip 1 started \(pid \d+\)$/m);
      assert.match(stdout, /^coordinator +\| \S+Z serving in epoch 1 with \d+ KV blocks$/m);
      assert.match(stdout, /^gateway +\| \S+Z listening at http/m);
      const times = [...stdout.matchAll(/\| (\S+Z) /g)].map(([, time]) => time!);
      assert.deepEqual(times, [...times].sort());
      const one = await runCli(t, env, ['logs', '-p', 'chip-1', '-n', '1', '--json']);
      const line = JSON.parse(one.stdout);
      assert.deepEqual(Object.keys(line), ['process', 'time', 'text']);
      assert.equal(line.process, 'chip-1');
      const slip = await runCli(t, env, ['logs', '--process', 'chip']);
      assert.equal(slip.code, 2);
      assert.match(slip.stderr, /process must be one of broker, chip-0, .* the nearest is chip-/);
    });

    await t.test('sohu down lets a request finish that it accepted', async () => {
      const follow = startCli(t, env, ['logs', '--follow', '--lines', '0']);
      const run = await startLongRun(t, env, 300);
      const down = startCli(t, env, ['down', '--timeout', '60']);
      await follow.untilPrinted('stdout', 'stopping');
      const late = await runCli(t, env, ['ps', '--json']);
      if (late.stdout !== '[]\n') assert.equal(JSON.parse(late.stdout)[0].state, 'stopping');
      assert.equal((await down.exited).code, 0);
      const { code, stderr } = await run.exited;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /300 tokens in/);
      assert.match(down.printed('stderr'), /^sohu \(pid \d+\) stopped after .+\.\n$/);
      await untilAllGone(processes);
      // It ends by itself with the cluster, after the last line.
      assert.equal((await follow.exited).code, 0);
      assert.match(follow.printed('stdout'), /sohu +\| \S+Z the broker .* ended/);
    });

    await t.test('leaves no record, but its logs', async () => {
      assert.deepEqual(await listClusters(t, env), []);
      assert.deepEqual(readdirSync(join(env.XDG_STATE_HOME!, 'sohu', 'clusters')), []);
      for (const wanted of [[], [`${cluster.pid}`]]) {
        assert.match((await runCli(t, env, ['logs', ...wanted])).stdout, /the broker .* ended/);
      }
    });
  });
});
