import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { makeDashboards } from '../../grafana/src/dashboards.ts';
import { parseExposition } from '../telemetry/exposition.ts';
import { boardPanels } from './boards.ts';
import { startLiveGroup } from './live-group.ts';

const PANELS = boardPanels();
const SERIES = /\b(?:sohu|vllm|http|process|DCGM)[\w:]*\b(?=[{[)\s]|$)/g;

/** Names that other tests hold against live processes, with what brings them. */
const ELSEWHERE = /^(?:sohu_gateway|sohu_broker|http)_|^sohu:/;

function baseOf(name: string): string {
  return name.replace(/_(?:bucket|sum|count)$/, '');
}

suite('the dashboards', () => {
  test('are committed as they are generated', () => {
    const names = readdirSync('grafana/dashboards').sort();
    const dashboards = makeDashboards();
    assert.deepEqual(names, [...dashboards.keys()].sort());
    for (const [name, dashboard] of dashboards) {
      const committed = JSON.parse(readFileSync(`grafana/dashboards/${name}`, 'utf8'));
      const hint = `npm run build:grafana writes ${name} anew`;
      assert.deepEqual(committed, JSON.parse(JSON.stringify(dashboard)), hint);
    }
  });

  test('ask for nothing that the processes do not show, and leave nothing out', async (t) => {
    const group = await startLiveGroup(t);
    const texts = [await group.monitor.metrics.allText(''), await group.chipMetrics[0]!.text()];
    const shown = new Set(texts.flatMap((text) => [...parseExposition(text).keys()]));
    const used = new Set(
      PANELS.flatMap(({ queries }) =>
        queries.flatMap(({ expression }) => expression.match(SERIES) ?? []),
      ).map((name) => (shown.has(name) ? name : baseOf(name))),
    );
    const unknown = [...used].filter((name) => !shown.has(name) && !ELSEWHERE.test(name));
    assert.deepEqual(unknown, []);
    // In other words: the same for tools that look for one of them.
    const twins = ['sohu_generated_tokens_total', 'sohu_requests'];
    const unused = [...shown].filter(
      (name) => name.startsWith('sohu_') && !used.has(name) && !twins.includes(name),
    );
    assert.deepEqual(unused, []);
  });

  test('put every panel in a place of its own, with a question and an explanation', () => {
    for (const [name, { panels = [] }] of makeDashboards()) {
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, name);
      const cells = panels.flatMap(({ gridPos, title }) => {
        const { x, y, w, h } = gridPos!;
        assert.ok(x + w <= 24, title);
        return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
      });
      assert.equal(new Set(cells).size, cells.length, name);
      for (const panel of panels) {
        if (panel.type === 'row') continue;
        assert.ok('description' in panel && panel.description, `${name}: ${panel.title}`);
      }
    }
    for (const { type, queries, title } of PANELS)
      assert.ok(type === 'row' || queries.length, title);
  });

  test('take quantiles of histograms with narrow buckets alone', () => {
    for (const { queries, title } of PANELS) {
      for (const { expression } of queries) {
        if (!expression.includes('histogram_quantile')) continue;
        assert.match(expression, /rate\(sohu_\w+_seconds_bucket/, title);
      }
    }
  });

  test('have the data source that is provisioned as their default', () => {
    const sources = readFileSync('grafana/provisioning/datasources/prometheus.yaml', 'utf8');
    assert.match(sources, /^ {4}uid: sohu-prometheus$/m);
    for (const [name, dashboard] of makeDashboards()) {
      assert.match(JSON.stringify(dashboard), /"value":"sohu-prometheus"/, name);
    }
  });
});
