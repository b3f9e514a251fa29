import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { prometheusRuleText } from '../../grafana/src/prometheus-rule.ts';
import { KUBERNETES, type Manifest, readManifests, selects } from './manifests.ts';
import { isAllowed, type Party } from './network-policies.ts';
import { readPods } from './pods.ts';

const PODS = readPods();
const MANIFESTS = readManifests('base');

function ofKind(kind: string): Manifest[] {
  return MANIFESTS.filter((manifest) => manifest.kind === kind);
}

suite('the Kubernetes objects around the pods', () => {
  test('each pick one component', () => {
    const sets = MANIFESTS.filter(({ spec }) => spec?.template !== undefined);
    assert.equal(sets.length, 4);
    for (const { kind, metadata, spec } of [
      ...ofKind('Service'),
      ...ofKind('PodDisruptionBudget'),
      ...sets,
    ]) {
      const selector = kind === 'Service' ? { matchLabels: spec.selector! } : spec.selector!;
      const picked = PODS.filter(({ labels }) => selects(selector, labels));
      assert.deepEqual(
        new Set(picked.map(({ component }) => component)),
        new Set([metadata.name]),
        kind,
      );
    }
  });

  test('name the pods of a set by a service without an address of its own', () => {
    const [set] = ofKind('StatefulSet');
    const service = ofKind('Service').find(
      ({ metadata }) => metadata.name === set!.spec.serviceName,
    );
    assert.equal(service?.spec.clusterIP, 'None');
  });

  test('let a node be drained, and never all of a component be gone by it', () => {
    for (const { metadata, spec } of ofKind('PodDisruptionBudget')) {
      const count = PODS.filter(({ component }) => component === metadata.name).length;
      const mayGo = spec.maxUnavailable ?? count - spec.minAvailable!;
      assert.ok(mayGo >= 1 && mayGo < count, metadata.name);
    }
  });

  test('let pods speak as they must, and no further', () => {
    const inside = ['chip', 'coordinator', 'gateway', 'nats', 'other'].map(
      (component): [string, Party] => [
        component,
        { labels: { 'app.kubernetes.io/component': component }, isInside: true },
      ],
    );
    const outside = (labels: Party['labels']): Party => ({ labels, isInside: false });
    const parties = new Map([
      ...inside,
      ['names', outside({ 'k8s-app': 'kube-dns' })],
      ['prometheus', outside({ 'app.kubernetes.io/name': 'prometheus' })],
      ['stranger', outside({})],
    ]);
    const policies = ofKind('NetworkPolicy');
    const allowed = [...parties].flatMap(([source, from]) =>
      [...parties].flatMap(([target, to]) =>
        [53, 4222, 8222, 9464, 8000]
          .filter(
            (port) => (from.isInside || to.isInside) && isAllowed(policies, { from, to, port }),
          )
          .map((port) => `${source} ${target} ${port}`),
      ),
    );
    const expected = [
      ...inside.map(([name]) => `${name} names 53`),
      ...['chip nats 4222', 'coordinator nats 4222', 'gateway nats 4222'],
      'coordinator nats 8222',
      ...['prometheus chip 9464', 'prometheus coordinator 9464', 'prometheus gateway 8000'],
      ...['names gateway 8000', 'stranger gateway 8000'],
    ];
    assert.deepEqual(allowed.sort(), expected.sort());
  });
});

suite('the overlay for monitoring', () => {
  const objects = readManifests('overlays/monitoring');

  test('has the rules of Prometheus', () => {
    const text = readFileSync(join(KUBERNETES, 'overlays/monitoring/rules.yaml'), 'utf8');
    const hint = 'npm run build:grafana writes the rules anew';
    assert.equal(text, prometheusRuleText('deploy/prometheus/rules'), hint);
  });

  test('gives every job the name that the rules have for it', () => {
    const monitor = objects.find(({ kind }) => kind === 'ServiceMonitor')!;
    const services = ofKind('Service').filter(({ metadata }) =>
      selects(monitor.spec.selector!, metadata.labels ?? {}),
    );
    const jobs = services.flatMap(({ metadata, spec }) =>
      spec.ports!.flatMap(({ name }) => {
        const endpoint = monitor.spec.endpoints!.find(({ port }) => port === name);
        return (endpoint?.relabelings ?? []).map(({ sourceLabels, targetLabel, replacement }) => {
          assert.deepEqual(
            [sourceLabels, targetLabel],
            [['__meta_kubernetes_service_name'], 'job'],
          );
          return replacement.replace('$1', metadata.name);
        });
      }),
    );
    assert.deepEqual(jobs.sort(), ['sohu-chip', 'sohu-coordinator', 'sohu-gateway']);
    const rules = JSON.stringify(objects.find(({ kind }) => kind === 'PrometheusRule'));
    const named = [...rules.matchAll(/\bjob=~?\\"([^"\\]+)\\"/g)].map(([, job]) => job!);
    assert.ok(named.length > 0);
    for (const job of named) assert.ok(jobs.includes(job), job);
  });

  test('has every board', () => {
    const { configMapGenerator } = parse(readFileSync('grafana/kustomization.yaml', 'utf8'));
    const files = configMapGenerator.flatMap((each: { files: string[] }) => each.files);
    const boards = readdirSync('grafana/dashboards').map((name) => `dashboards/${name}`);
    assert.deepEqual(files.sort(), boards.sort());
  });
});
