import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { prometheusRuleText } from '../../grafana/src/prometheus-rule.ts';
import { createClusterKeys, oneSeatEach } from '../../services/runtime/broker/cluster-keys.ts';
import type { CoordinatorProcessOptions } from '../../services/runtime/options/coordinator-options.ts';
import { checkExposure } from '../../services/runtime/options/gateway-options.ts';
import type { GatewayProcessOptions } from '../../services/runtime/options/gateway-process-options.ts';
import { resolveServing } from '../../services/runtime/options/resolve-serving.ts';
import type { WorkerOptions } from '../../services/runtime/options/worker-options.ts';
import { KUBERNETES, type Manifest, readManifests, selects } from './manifests.ts';
import { isAllowed, type Party } from './network-policies.ts';
import { type Pod, readPods } from './pods.ts';
import { processOptions, programOf, unknownVariables } from './process-options.ts';

const MANIFESTS = readManifests('base');
const PODS = readPods();
const OVERLAYS = [undefined, 'phantom'] as const;

type Options = CoordinatorProcessOptions & GatewayProcessOptions & WorkerOptions;

function ofKind(kind: string): Manifest[] {
  return MANIFESTS.filter((manifest) => manifest.kind === kind);
}

function optionsOf({ container, env }: Pod): Options {
  return processOptions(programOf(container.args)!, container.args, env);
}

function ownPods(overlay?: 'phantom'): Pod[] {
  return readPods(overlay).filter(({ container }) => programOf(container.args) !== undefined);
}

/** A number with one of the suffixes that are used here. */
function quantity(text: string): number {
  const [, value, suffix] = /^(\d+)(m|Mi|Gi)?$/.exec(text)!;
  return Number(value) * { m: 1e-3, Mi: 2 ** 20, Gi: 2 ** 30, '': 1 }[suffix ?? '']!;
}

/** Asserts that a service of the name has pods that listen at the port. */
function assertServed(url: string): void {
  const { hostname, port } = new URL(url);
  const service = ofKind('Service').find(({ metadata }) => metadata.name === hostname);
  assert.ok(service !== undefined, `${url} is no service`);
  const target = service.spec.ports!.find((each) => each.port === Number(port))?.targetPort;
  assert.ok(target !== undefined, `${url} is no port`);
  const picked = PODS.filter(({ labels }) =>
    selects({ matchLabels: service.spec.selector! }, labels),
  );
  assert.ok(picked.length > 0, url);
  for (const { container, name } of picked) {
    assert.ok(
      container.ports.some((each) => each.name === target),
      `${url} at ${name}`,
    );
  }
}

suite('the Kubernetes pods', () => {
  test('are started with options that their programs take, and find what these name', () => {
    for (const overlay of OVERLAYS) {
      const pods = ownPods(overlay);
      assert.equal(pods.length, 11);
      for (const pod of pods) {
        const { nats, natsNkeyFile } = optionsOf(pod);
        assertServed(nats);
        assert.ok(pod.files.has(natsNkeyFile!), `${pod.name}: ${natsNkeyFile}`);
      }
    }
  });

  test('are given nothing that no program takes', () => {
    for (const overlay of OVERLAYS) {
      const unknown = ownPods(overlay).map(({ container, env }) =>
        unknownVariables(programOf(container.args)!, Object.keys(env)),
      );
      const [first, ...others] = unknown;
      // What all pods share is for some of them alone.
      const foreign = first!.filter((name) => others.every((names) => names.includes(name)));
      assert.deepEqual(foreign, []);
    }
  });

  test('serve one model, of which the phantom overlay has no weights', () => {
    for (const [overlay, model, chip] of [
      [undefined, 'tinystories-5m', undefined],
      ['phantom', 'llama-3-70b', 'Sohu'],
    ] as const) {
      const pods = ownPods(overlay).filter(({ component }) => component !== 'chip');
      assert.deepEqual(
        pods.map((pod) => optionsOf(pod).model),
        pods.map(() => model),
      );
      const coordinator = pods.find(({ component }) => component === 'coordinator')!;
      assert.equal(resolveServing(optionsOf(coordinator)).phantom?.chip, chip);
    }
  });

  test('have each a seed of its own, and can read what is mounted', () => {
    const chips = oneSeatEach(8);
    const { seeds } = createClusterKeys({ cluster: 'sohu', groups: ['0'], chips, clients: [] });
    for (const pod of ownPods()) {
      const { rank, natsNkeyFile } = optionsOf(pod);
      const member = pod.component === 'chip' ? `chip-0-${rank}` : pod.component;
      const { source } = pod.files.get(natsNkeyFile!)!;
      const expected = member === 'coordinator' ? 'coordinator-0' : member;
      assert.equal(source, `base/keys/${expected}.nk`, pod.name);
      assert.ok(seeds.has(expected), expected);
      const others = [...pod.files.values()].filter((file) => file.source.endsWith('.nk'));
      assert.equal(others.length, 1, pod.name);
      // By its group, that of the volumes, and by nobody else.
      for (const { mode } of pod.files.values()) assert.equal(mode, 0o440, pod.name);
    }
    const ranks = ownPods().flatMap((pod) => optionsOf(pod).rank ?? []);
    assert.deepEqual(ranks, [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('of the broker find their configuration and all that it includes', () => {
    const broker = PODS.find(({ component }) => component === 'nats')!;
    const path = broker.container.args[broker.container.args.indexOf('-c') + 1]!;
    const text = readFileSync(join(KUBERNETES, broker.files.get(path)!.source), 'utf8');
    for (const [, file] of text.matchAll(/^include "(.+)"/gm)) {
      assert.ok(broker.files.has(join(path, '..', file!)), file);
    }
    for (const [, variable] of text.matchAll(/\$(\w+)/g)) {
      assert.ok(variable! in broker.env, variable);
    }
    const ports = [broker.env.BROKER_MONITORING!, /^listen: "(.+)"/m.exec(text)![1]!];
    assert.deepEqual(
      ports.map((address) => Number(/^0\.0\.0\.0:(\d+)$/.exec(address)![1])).sort(),
      broker.container.ports.map(({ containerPort }) => containerPort).sort(),
    );
  });

  test('listen where their ports and probes say', () => {
    const paths = {
      chip: ['/healthz'],
      coordinator: ['/healthz'],
      gateway: ['/version', '/health/ready'],
      nats: ['/healthz'],
    };
    for (const pod of PODS) {
      const { startupProbe, readinessProbe, livenessProbe, ports } = pod.container;
      const probes = [startupProbe, readinessProbe, livenessProbe].flatMap((each) => each ?? []);
      assert.ok(probes.length >= 2, pod.name);
      for (const { httpGet } of probes) {
        const name = pod.component === 'nats' ? 'monitoring' : ports[0]!.name;
        assert.equal(httpGet.port, name, pod.name);
        assert.ok(paths[pod.component as keyof typeof paths].includes(httpGet.path), pod.name);
      }
    }
    for (const pod of ownPods()) {
      const { host, port, metricsHost, metricsPort } = optionsOf(pod);
      const isGateway = pod.component === 'gateway';
      const listens = isGateway ? [host, port] : [metricsHost, metricsPort];
      assert.deepEqual(listens, ['0.0.0.0', pod.container.ports[0]!.containerPort], pod.name);
    }
  });

  test('of the gateway serve none without a key, and those of the coordinator show the broker', () => {
    for (const pod of ownPods()) {
      const options = optionsOf(pod);
      if (pod.component === 'gateway') {
        checkExposure(options);
        assert.equal(options.allowAnonymous, undefined);
        assert.ok(pod.files.has(options.apiKeyFile!));
      }
      if (pod.component !== 'coordinator') continue;
      assert.equal(options.natsMonitoring.length, 1);
      for (const url of options.natsMonitoring) assertServed(url);
    }
  });

  test('are killed only after what they answer may have ended', () => {
    for (const pod of ownPods().filter(({ component }) => component !== 'chip')) {
      const { terminationGracePeriodSeconds: grace } = pod.spec;
      const [program, seconds] = pod.container.lifecycle?.preStop.exec.command ?? ['sleep', '0'];
      assert.equal(program, 'sleep');
      const { shutdownTimeout } = optionsOf(pod);
      assert.ok(shutdownTimeout >= 30 && Number(seconds) + shutdownTimeout < grace!, pod.name);
    }
  });

  test('mount each of their volumes, and ask for no more than their limits', () => {
    for (const { name, spec, container } of PODS) {
      const mounts = container.volumeMounts.map((mount) => mount.name).sort();
      assert.deepEqual(mounts, spec.volumes.map((volume) => volume.name).sort(), name);
      const { limits, requests } = container.resources;
      assert.ok(quantity(requests.cpu!) > 0 && quantity(requests.memory!) > 0, name);
      for (const [resource, limit] of Object.entries(limits)) {
        assert.ok(quantity(requests[resource]!) <= quantity(limit), `${name}: ${resource}`);
      }
    }
  });
});

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
