import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startMetricsServer } from '../../services/runtime/metrics/metrics-server.ts';
import { spawnGuarded } from '../../services/runtime/process/spawn-guarded.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { queriesOf, readDashboard } from './dashboard.ts';
import { type LiveGroup, startLiveGroup } from './live-group.ts';
import { runProgram } from './programs.ts';

const DEADLINE_MS = 60_000;
const POLL_MS = 50;

interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

type Query = (expression: string) => Promise<readonly QueryResult[]>;

/** Serves the metrics of all processes of a group; the lists are host:port. */
async function serveMetrics(
  t: TestContext,
  group: LiveGroup,
): Promise<{ readonly coordinator: string; readonly chips: readonly string[] }> {
  const [coordinator, ...chips] = await Promise.all(
    [group.monitor.metrics, ...group.chipMetrics].map(async (metrics) => {
      const text = (): Promise<string> => metrics.text();
      const server = await startMetricsServer({ text, host: '127.0.0.1', port: 0 });
      t.after(() => server.close());
      return server.address;
    }),
  );
  return { coordinator: coordinator!, chips };
}

/** A Prometheus that scrapes quickly, for the length of one test; the jobs are named as in deploy/. */
async function startPrometheus(
  t: TestContext,
  targets: { readonly coordinator: string; readonly chips: readonly string[] },
): Promise<Query> {
  const directory = makeTemporaryDirectory(t);
  const job = (name: string, addresses: readonly string[]): string =>
    `  - job_name: ${name}\n    static_configs: [{ targets: ${JSON.stringify(addresses)} }]\n`;
  const config = join(directory, 'prometheus.yml');
  writeFileSync(
    config,
    'global: { scrape_interval: 200ms, scrape_timeout: 200ms }\nscrape_configs:\n' +
      job('sohu-coordinator', [targets.coordinator]) +
      job('sohu-chip', targets.chips),
  );
  const port = await freePort();
  const prometheus = spawnGuarded({
    name: 'prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  });
  t.after(() => prometheus.stop());
  const base = `http://127.0.0.1:${port}`;
  await until('prometheus is ready', async () => {
    const response = await fetch(`${base}/-/ready`).catch(() => undefined);
    return response?.ok === true;
  });
  return async (expression) => {
    const url = `${base}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = (await (await fetch(url)).json()) as {
      readonly status: string;
      readonly error?: string;
      readonly data: { readonly result: readonly QueryResult[] };
    };
    assert.equal(answer.status, 'success', `${expression}: ${answer.error}`);
    return answer.data.result;
  };
}

test('a Prometheus finds something for every panel of a cluster that works', async (t) => {
  if (runProgram(t, 'prometheus', ['--version']) === undefined) return;
  const group = await startLiveGroup(t);
  const query = await startPrometheus(t, await serveMetrics(t, group));
  await until('all targets are up', async () => (await query('up == 1')).length === 3);

  const queries = queriesOf(readDashboard('cluster.json'), '1m');
  const pending = new Set(queries);
  await until('every panel shows something', async () => {
    // Rates need counters that grow between two scrapes.
    group.disturb();
    await group.generate([1, 2, 3, 4, 5], 3);
    for (const panel of pending) {
      const results = await query(panel.expression);
      if (results.length > 0 && results.every(({ value }) => Number.isFinite(Number(value[1])))) {
        pending.delete(panel);
      }
    }
    return pending.size === 0;
  }).catch((error: Error) => {
    assert.fail(`${error.message}; empty: ${[...pending].map(({ panel }) => panel).join(', ')}`);
  });
});

/** A port that was free a moment ago: this server does not say which one it took. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < DEADLINE_MS; ) {
    if (await holds()) return;
    await delay(POLL_MS);
  }
  throw new Error(`not within ${DEADLINE_MS / 1000} s: ${what}`);
}
