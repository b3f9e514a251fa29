import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { Registry } from 'prom-client';
import { ChipMetrics } from '../../services/runtime/metrics/chip-metrics.ts';
import { CoordinatorMetrics } from '../../services/runtime/metrics/coordinator-metrics.ts';
import { startMetricsServer } from '../../services/runtime/metrics/metrics-server.ts';
import { startLiveGroup } from '../deploy/live-group.ts';

/** What Prometheus would read: the value of each series, by its name and sorted labels. */
async function readSeries(registry: Registry): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => {
      const [, name, labels, value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
      const sorted = labels?.split(',').sort().join(',');
      return [sorted === undefined ? name! : `${name}{${sorted}}`, Number(value)];
    }),
  );
}

async function startServer(t: TestContext, registry: Registry): Promise<string> {
  const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  return server.address;
}

suite('the metrics server', () => {
  test('serves the series as Prometheus reads them, and its health, and nothing else', async (t) => {
    const { registry } = new ChipMetrics({ group: '0', rank: 3 });
    const address = await startServer(t, registry);
    const metrics = await fetch(`http://${address}/metrics`);
    assert.equal(metrics.status, 200);
    assert.match(metrics.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
    assert.match(await metrics.text(), /^sohu_chip_tokens_total\{group="0",chip="3"\} 0$/m);
    assert.equal((await fetch(`http://${address}/healthz`)).status, 200);
    for (const path of ['/', '/metrics/', '/favicon.ico']) {
      assert.equal((await fetch(`http://${address}${path}`)).status, 404, path);
    }
  });

  test('says which address it cannot have', async (t) => {
    const { registry } = new CoordinatorMetrics();
    const address = await startServer(t, registry);
    const port = Number(address.split(':')[1]);
    await assert.rejects(startMetricsServer({ registry, host: '127.0.0.1', port }), {
      message: new RegExp(`^metrics cannot be served at 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
    });
  });

  test('ends while a client keeps its connection', async () => {
    const { registry } = new ChipMetrics({ group: '0', rank: 0 });
    const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0 });
    await (await fetch(`http://${server.address}/metrics`)).text();
    await server.close();
    await assert.rejects(fetch(`http://${server.address}/healthz`));
  });
});

suite('metrics', () => {
  test('can be read before there is a chip or a coordinator', async () => {
    const chip = await readSeries(new ChipMetrics({ group: '0', rank: 1 }).registry);
    assert.equal(chip.get('sohu_chip_tokens_total{chip="1",group="0"}'), 0);
    const coordinator = await readSeries(new CoordinatorMetrics().registry);
    assert.equal(coordinator.get('sohu_requests{state="running"}'), 0);
    assert.equal(coordinator.get('sohu_hbm_bytes{use="kv"}'), 0);
  });

  test('follow a group that serves a request', async (t) => {
    const group = await startLiveGroup(t);
    let during: Promise<Map<string, number>> | undefined;
    await group.generate([1, 2, 3, 4, 5], 6, () => {
      during ??= readSeries(group.coordinatorMetrics.registry);
    });
    const running = await during!;
    assert.equal(running.get('sohu_requests{state="running"}'), 1);
    const series = await readSeries(group.coordinatorMetrics.registry);
    const chips = await Promise.all(group.chipMetrics.map(({ registry }) => readSeries(registry)));

    // Five prompt rows, then one for each drawn token but the last.
    assert.equal(series.get('sohu_tokens_total'), 10);
    assert.equal(series.get('sohu_generated_tokens_total'), 6);
    assert.equal(series.get('sohu_steps_total'), 6);
    assert.equal(series.get('sohu_step_duration_seconds_count'), 6);
    assert.ok(series.get('sohu_step_duration_seconds_sum')! > 0);
    assert.equal(series.get('sohu_step_device_seconds_count'), 6);
    assert.ok(series.get('sohu_step_device_seconds_sum')! > 0);
    assert.equal(series.get('sohu_requests{state="running"}'), 0);
    assert.equal(series.get('sohu_requests{state="waiting"}'), 0);
    for (const [rank, chip] of chips.entries()) {
      const label = `chip="${rank}",group="0"`;
      assert.equal(chip.get(`sohu_chip_tokens_total{${label}}`), 10);
      assert.equal(chip.get(`sohu_chip_steps_total{${label}}`), 6);
      for (const part of ['compute', 'communication']) {
        const name = `sohu_chip_step_duration_seconds_count{${label},part="${part}"}`;
        assert.equal(chip.get(name), 6, name);
      }
    }
  });

  test('agree between the chips and their coordinator', async (t) => {
    const group = await startLiveGroup(t);
    let during: Promise<Map<string, number>> | undefined;
    await group.generate([1, 2, 3, 4, 5], 2, () => {
      during ??= readSeries(group.coordinatorMetrics.registry);
    });
    const running = await during!;
    const chips = await Promise.all(group.chipMetrics.map(({ registry }) => readSeries(registry)));
    const ofChip = (rank: number, name: string, label: string): number =>
      chips[rank]!.get(`${name}{${[`chip="${rank}"`, label, 'group="0"'].sort().join()}}`)!;
    const sum = (name: string, label: string): number =>
      chips.reduce((total, _, rank) => total + ofChip(rank, name, label), 0);

    const hbm = (use: string): number => running.get(`sohu_hbm_bytes{use="${use}"}`)!;
    for (const use of ['weights', 'activations']) {
      assert.ok(hbm(use) > 0, use);
      assert.equal(hbm(use), sum('sohu_chip_hbm_bytes', `use="${use}"`), use);
    }
    // Seven tokens lie in two blocks of four; the chips have sixteen.
    const blockBytes = group.chips.map(({ loaded }) => loaded!.kvBytesPerBlock);
    assert.equal(hbm('kv'), 2 * blockBytes.reduce((total, bytes) => total + bytes));
    assert.equal(ofChip(0, 'sohu_chip_hbm_bytes', 'use="kv_reserved"'), 16 * blockBytes[0]!);

    const series = await readSeries(group.coordinatorMetrics.registry);
    const sent = series.get('sohu_collective_bytes_total{direction="sent"}')!;
    // A chip may have answered a peer after its last report.
    assert.ok(sent > 0 && sent <= sum('sohu_chip_collective_bytes_total', 'direction="sent"'));
  });

  test('count what is no frame', async (t) => {
    const group = await startLiveGroup(t);
    group.disturb();
    await group.generate([1], 1);
    for (const [rank, { registry }] of group.chipMetrics.entries()) {
      const series = await readSeries(registry);
      const name = `sohu_chip_dropped_frames_total{chip="${rank}",group="0",reason="malformed"}`;
      assert.equal(series.get(name), 1);
      const refused = `sohu_chip_refused_steps_total{chip="${rank}",group="0",reason="token"}`;
      assert.equal(series.get(refused), 0);
    }
  });
});
