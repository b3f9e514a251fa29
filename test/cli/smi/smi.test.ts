import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listDescendants, makeCliEnvironment, runCli, startCli } from '../../support/cli.ts';
import { startLiveCluster, until } from '../../support/live-cluster.ts';

test('sohu smi shows a live cluster', async (t) => {
  const cluster = await startLiveCluster(t, ['--tp', '2']);
  if (cluster === undefined) return;
  const smi = (...args: string[]) => runCli(t, cluster.env, ['smi', ...args]);

  await t.test('as a table, with the pids and ports of its chips', async () => {
    const { code, stdout, stderr } = await smi();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\| SOHU-SMI \S+ +Cluster: sohu +Epoch: 1 +State: serving \|$/m);
    assert.match(stdout, /^\| Model: tinystories-5m +fp8, KV bf16 +Weights: real /m);
    const processes = listDescendants(cluster.up.pid).map(({ pid }) => pid);
    for (const rank of [0, 1]) {
      const { pid, port } = processOf(stdout, rank);
      assert.ok(processes.includes(pid), `${pid} is a process of the cluster`);
      assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 200, stdout);
    }
  });

  await t.test('again and again, with figures that follow the load', async () => {
    const query = [
      '--query-chip=index,utilization.chip,step.count',
      '--format=csv,noheader,nounits',
    ];
    const loop = startCli(t, cluster.env, ['smi', '-i', '0', '-l', '0.1', ...query]);
    const busiest = (): number =>
      Math.max(
        ...loop
          .printed('stdout')
          .split('\n')
          .map((line) => Number(line.split(', ')[1] ?? 0)),
      );
    await loop.untilPrinted('stdout', '0, 0, 0\n');
    await runCli(t, cluster.env, ['run', '--ignore-eos', '--max-tokens', '200', 'Once']);
    await until('a busy chip', () => busiest() > 20);
    loop.child.kill('SIGINT');
    assert.equal((await loop.exited).code, 130);
    for (const line of loop.printed('stdout').trim().split('\n'))
      assert.match(line, /^0, [\d.]+, \d+$/);
  });

  await t.test('as an object, and as a list', async () => {
    const { chips, state } = JSON.parse((await smi('--json')).stdout);
    assert.deepEqual([state, chips.length, chips[1].state], ['serving', 2, 'ready']);
    const { stdout } = await smi('-L');
    for (const { index, name, uuid } of chips) {
      assert.ok(stdout.includes(`Chip ${index}: ${name} (UUID: ${uuid})\n`), stdout);
    }
    const [, one] = chips;
    assert.match((await smi('-i', one.uuid, '-L')).stdout, /^Chip 1: .*\n$/);
  });

  await t.test('and refuses what does not go together or is not there', async () => {
    for (const [args, message] of [
      [['--format', 'csv'], /format is for the figures of --query-chip/],
      [['--json', '-L'], /--json and --list exclude each other/],
      [['--query-chip', 'indx'], /no field "indx"; the nearest is index/],
      [['-i', '2'], /there is 0, 1, not "2"/],
      [['--cluster', 'other'], /cluster must be one that runs, which are: sohu/],
    ] as const) {
      const { code, stdout, stderr } = await smi(...args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, message);
    }
  });
});

test('sohu smi says so where no cluster runs', async (t) => {
  const { code, stderr } = await runCli(t, makeCliEnvironment(t), ['smi']);
  assert.equal(code, 2);
  assert.match(stderr, /^error: no cluster runs on this machine: start one with `sohu up`/);
});

/** What the table says of a chip's process. */
function processOf(table: string, rank: number): { readonly pid: number; readonly port: string } {
  const row = `\\| +${rank} +(\\d+) {2}worker TP${rank} .* 127\\.0\\.0\\.1:(\\d+) \\|`;
  const [, pid, port] = new RegExp(`^${row}$`, 'm').exec(table) ?? [];
  assert.ok(pid !== undefined && port !== undefined, table);
  return { pid: Number(pid), port };
}
