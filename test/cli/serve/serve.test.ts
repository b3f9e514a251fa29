import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { natsServerBinary } from '../../support/broker.ts';
import {
  type CliEnvironment,
  listDescendants,
  makeCliEnvironment,
  runCli,
  startCli,
  untilAllGone,
} from '../../support/cli.ts';

interface Detached {
  readonly env: CliEnvironment;
  readonly cluster: Readonly<Record<string, unknown>> & { readonly pid: number };
  /** The program in the background, and what it started. */
  readonly processes: readonly { readonly pid: number }[];
}

async function listClusters(t: TestContext, env: CliEnvironment): Promise<Detached['cluster'][]> {
  const { code, stdout, stderr } = await runCli(t, env, ['ps', '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** A cluster of two chips in the background; undefined where the test is skipped. */
async function startDetached(
  t: TestContext,
  args: readonly string[] = [],
  env = makeCliEnvironment(t),
): Promise<Detached | undefined> {
  if ((await natsServerBinary(t)) === undefined) return undefined;
  const up = await runCli(t, env, ['up', '--detach', '--tp', '2', '--port', '0', ...args]);
  assert.equal(up.code, 0, up.stderr);
  assert.match(up.stdout, /^HTTP +http:/m);
  assert.match(up.stderr, /Loading shards.*Serving tinystories-5m \(fp8\) until `sohu down`\.\n$/s);
  const [cluster] = await listClusters(t, env);
  const { pid } = cluster!;
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });
  return { env, cluster: cluster!, processes: [{ pid }, ...listDescendants(pid)] };
}

/** A request that takes a while, whose text has begun. */
async function startLongRun(t: TestContext, env: CliEnvironment, tokens: number) {
  const args = ['run', '--ignore-eos', '--max-tokens', String(tokens), 'Once upon a time'];
  const run = startCli(t, env, args);
  await run.untilPrinted('stdout', ' there was');
  return run;
}

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

  test('does not come to be where it cannot serve: the exit code and the sentence are its own', async (t) => {
    const detached = await startDetached(t, ['--cluster', 'first']);
    if (detached === undefined) return;
    const { env, cluster } = detached;
    const port = new URL(`${cluster.http_url}`).port;
    const taken = await runCli(t, env, ['up', '--detach', '--tp', '1', '--port', port]);
    assert.equal(taken.code, 5, taken.stderr);
    assert.match(taken.stderr, /^error: .*port \d+ of 127\.0\.0\.1 is taken/m);
    assert.equal((await listClusters(t, env)).length, 1);
    await runCli(t, env, ['down', '--all', '--timeout', '0']);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`ends while it starts when its starter ends by ${signal}`, async (t) => {
      if ((await natsServerBinary(t)) === undefined) return;
      const env = makeCliEnvironment(t);
      const up = startCli(t, env, ['up', '-d', '--tp', '8', '--port', '0']);
      await up.untilPrinted('stderr', 'Starting');
      const processes = listDescendants(up.pid);
      assert.ok(processes.length >= 2, 'the program in the background, and its broker');
      up.child.kill(signal);
      const { code } = await up.exited;
      assert.equal(code, signal === 'SIGINT' ? 130 : null);
      await untilAllGone(processes);
      assert.deepEqual(await listClusters(t, env), []);
    });
  }
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
