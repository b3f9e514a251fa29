import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Registry } from 'prom-client';
import { ChipMetrics } from '../../services/runtime/metrics/chip-metrics.ts';
import { CoordinatorMetrics } from '../../services/runtime/metrics/coordinator-metrics.ts';
import { startMetricsServer } from '../../services/runtime/metrics/metrics-server.ts';
import { queriesOf, readDashboard } from './dashboard.ts';

/** The series that a process shows, histograms by their three names. */
async function readNames(registry: Registry): Promise<string[]> {
  const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0 });
  const text = await (await fetch(`http://${server.address}/metrics`)).text();
  await server.close();
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name! + end) : [name!],
  );
}

async function shownNames(): Promise<string[]> {
  const registries = [
    new ChipMetrics({ group: '0', rank: 0 }).registry,
    new CoordinatorMetrics().registry,
  ];
  return (await Promise.all(registries.map(readNames))).flat();
}

const dashboard = readDashboard('cluster.json');
const used = new Set(
  queriesOf(dashboard, '1m').flatMap(({ expression }) => expression.match(/\bsohu_\w+/g) ?? []),
);

test('every series of the dashboard is one that the processes show', async () => {
  const shown = await shownNames();
  assert.deepEqual(
    [...used].filter((name) => !shown.includes(name)),
    [],
  );
});

test('every metric that the processes show is on the dashboard', async () => {
  const base = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '');
  const usedBases = new Set([...used].map(base));
  assert.deepEqual(
    (await shownNames()).filter((name) => !usedBases.has(base(name))),
    [],
  );
});

test('every panel asks the data source that the variable names', () => {
  for (const { title, type, datasource, targets = [] } of dashboard.panels) {
    if (type === 'row') continue;
    assert.ok(targets.length > 0, title);
    const uids = [datasource, ...targets.map((target) => target.datasource)].map((it) => it?.uid);
    assert.deepEqual([...new Set(uids)], ['${' + 'datasource}'], title);
  }
});

test('panels have their own numbers and places', () => {
  const { panels } = dashboard;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    assert.ok(x + w <= 24);
    return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
  });
  assert.equal(new Set(cells).size, cells.length);
});

test('the variable’s default is the data source that is provisioned', () => {
  const sources = readFileSync('grafana/provisioning/datasources/prometheus.yaml', 'utf8');
  assert.match(sources, /^ {4}uid: sohu-prometheus$/m);
  assert.match(JSON.stringify(dashboard), /"value":"sohu-prometheus"/);
  assert.equal(dashboard.uid, 'sohu-cluster');
});
