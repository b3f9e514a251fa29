import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { ChipMetrics } from '../../services/runtime/metrics/chip-metrics.ts';
import { startMetricsServer } from '../../services/runtime/metrics/metrics-server.ts';
import { startLiveGroup } from '../deploy/live-group.ts';

/** What shows series, as processes do. */
interface Shown {
  text(): Promise<string>;
}

/** Labels that all series of a coordinator have. */
const COMMON = ['engine="0"', 'model_name="tinystories-5m"'];

/** What Prometheus would read: the value of each series, by its name and sorted labels of its own. */
async function readSeries(shown: Shown): Promise<Map<string, number>> {
  const lines = (await shown.text()).split('\n').filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => {
      const [, name, labels = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
      const own = labels.split(',').filter((label) => label !== '' && !COMMON.includes(label));
      return [own.length === 0 ? name! : `${name}{${own.sort().join()}}`, Number(value)];
    }),
  );
}

async function startServer(t: TestContext, shown: Shown): Promise<string> {
  const server = await startMetricsServer({ text: () => shown.text(), host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  return server.address;
}

suite('the metrics server', () => {
  test('serves the series as Prometheus reads them, and its health, and nothing else', async (t) => {
    const address = await startServer(t, new ChipMetrics({ group: '0', rank: 3 }));
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
    const shown = new ChipMetrics({ group: '0', rank: 3 });
    const address = await startServer(t, shown);
    const port = Number(address.split(':')[1]);
    await assert.rejects(
      startMetricsServer({ text: () => shown.text(), host: '127.0.0.1', port }),
      {
        message: new RegExp(`^metrics cannot be served at 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
      },
    );
  });

  test('ends while a client keeps its connection', async () => {
    const shown = new ChipMetrics({ group: '0', rank: 0 });
    const server = await startMetricsServer({
      text: () => shown.text(),
      host: '127.0.0.1',
      port: 0,
    });
    await (await fetch(`http://${server.address}/metrics`)).text();
    await server.close();
    await assert.rejects(fetch(`http://${server.address}/healthz`));
  });
});

suite('metrics', () => {
  test('can be read before there is a chip', async () => {
    const chip = await readSeries(new ChipMetrics({ group: '0', rank: 1 }));
    assert.equal(chip.get('sohu_chip_tokens_total{chip="1",group="0"}'), 0);
  });

  test('follow a group that serves a request', async (t) => {
    const group = await startLiveGroup(t);
    let during: Promise<Map<string, number>> | undefined;
    await group.generate([1, 2, 3, 4, 5], 6, () => {
      during ??= readSeries(group.monitor.metrics);
    });
    const running = await during!;
    assert.equal(running.get('sohu_requests{state="running"}'), 1);
    const series = await readSeries(group.monitor.metrics);
    const chips = await Promise.all(group.chipMetrics.map(readSeries));

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
      during ??= readSeries(group.monitor.metrics);
    });
    const running = await during!;
    const chips = await Promise.all(group.chipMetrics.map(readSeries));
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

    const payload = chips.map((chip) =>
      [...chip].reduce(
        (total, [name, value]) =>
          name.startsWith('sohu_collective_bytes_total') ? total + value : total,
        0,
      ),
    );
    // Frames have envelopes too.
    for (const [rank, bytes] of payload.entries()) {
      const sent = ofChip(rank, 'sohu_chip_collective_bytes_total', 'direction="sent"');
      assert.ok(bytes > 0 && bytes < sent, `${bytes} of ${sent}`);
    }
  });

  test('count what is no frame', async (t) => {
    const group = await startLiveGroup(t);
    group.disturb();
    await group.generate([1], 1);
    for (const [rank, metrics] of group.chipMetrics.entries()) {
      const series = await readSeries(metrics);
      const name = `sohu_chip_dropped_frames_total{chip="${rank}",group="0",reason="malformed"}`;
      assert.equal(series.get(name), 1);
      const refused = `sohu_chip_refused_steps_total{chip="${rank}",group="0",reason="token"}`;
      assert.equal(series.get(refused), 0);
    }
  });
});
