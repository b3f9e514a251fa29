import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { addApiKey } from '../../services/cli/keys/add-api-key.ts';
import {
  createClusterKeys,
  oneSeatEach,
  writeClusterKeys,
} from '../../services/runtime/broker/cluster-keys.ts';
import { environmentName } from '../../services/runtime/options/environment.ts';
import { makeProgram, type ProgramName } from '../../services/runtime/options/programs.ts';
import { packagePath, packageVersion } from '../../services/runtime/package-info.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import {
  type Manifest,
  type PodTemplate,
  readKustomization,
  readManifests,
  selects,
  validateManifest,
} from './manifests.ts';

const BASE = readKustomization('base');
const MANIFESTS = readManifests('base');
const PODS = MANIFESTS.flatMap(({ spec }) => spec?.template ?? []);
const CHIPS = MANIFESTS.find(({ kind }) => kind === 'StatefulSet')!;

/** The programs of this repository, by the names of their containers. */
const PROGRAMS: Readonly<Record<string, ProgramName>> = {
  chip: 'worker',
  coordinator: 'coordinator',
  gateway: 'gateway',
};

function variablesOf(program: ProgramName): string[] {
  return makeProgram(program).options.map(environmentName);
}

function keyOf({ name = '', files = [] }: { name?: string; files?: readonly string[] }) {
  return files.map((file) => [name, file] as const);
}

/** Whatever the pods mount by name. */
function mountedNames(pod: PodTemplate): string[] {
  const text = JSON.stringify(pod.spec);
  const names = text.matchAll(
    /"(?:configMap|configMapRef)":\{"name":"([\w-]+)"|"secretName":"([\w-]+)"/g,
  );
  return [...names].map(([, config, secret]) => config ?? secret!);
}

suite('the Kubernetes manifests', () => {
  test('are what the schemas of their kinds say', () => {
    assert.equal(MANIFESTS.length, 18);
    for (const manifest of MANIFESTS) validateManifest(manifest);
  });

  test('a schema refuses a wrong type and a missing field', () => {
    const wrong = { ...CHIPS, spec: { ...CHIPS.spec, replicas: '8' } } as unknown as Manifest;
    assert.throws(() => validateManifest(wrong), /replicas must be integer/);
    const { selector: _, ...without } = CHIPS.spec;
    assert.throws(() => validateManifest({ ...CHIPS, spec: without }), /selector/);
  });

  test('pods keep to the restricted standard, with a disk that is read-only and a limit', () => {
    assert.equal(PODS.length, 4);
    for (const { spec } of PODS) {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.deepEqual(spec.securityContext, {
        ...{ runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of spec.containers) {
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        assert.ok(container.resources.limits.memory !== undefined);
        assert.ok(container.readinessProbe !== undefined && container.livenessProbe !== undefined);
        assert.match(container.image, /^sohu$|:\d+\.\d+\.\d+/);
      }
    }
    assert.deepEqual(BASE.images, [{ name: 'sohu', newTag: packageVersion() }]);
  });

  test('every variable is an option of its program', () => {
    const shared = BASE.configMapGenerator!.find(({ name }) => name === 'sohu-serving')!;
    const sharedNames = shared.literals!.map((literal) => literal.split('=')[0]!);
    for (const { spec } of PODS) {
      const [container] = spec.containers;
      const program = PROGRAMS[container!.name];
      if (program === undefined) continue;
      const names = container!.env!.map(({ name }) => name).filter((name) => /^SOHU_/.test(name));
      for (const name of names) assert.ok(variablesOf(program).includes(name), name);
      assert.ok(container!.args.at(-1) === `dist/services/${program}/main.js`);
    }
    const all = Object.values(PROGRAMS).flatMap(variablesOf);
    for (const name of sharedNames) assert.ok(all.includes(name), name);
  });

  test('the rank of a chip is its place in the set, and there are as many as the degree', () => {
    const env = CHIPS.spec.template!.spec.containers[0]!.env!;
    assert.deepEqual(
      env.find(({ name }) => name === 'SOHU_RANK'),
      {
        name: 'SOHU_RANK',
        valueFrom: {
          fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" },
        },
      },
    );
    const coordinator = PODS.find(({ spec }) => spec.containers[0]!.name === 'coordinator')!;
    const degree = coordinator.spec.containers[0]!.env!.find(({ name }) => name === 'SOHU_TP')!;
    assert.equal(degree.value, String(CHIPS.spec.replicas));
  });

  test('the keys are those that `sohu keys` writes', () => {
    const chips = oneSeatEach(CHIPS.spec.replicas!);
    const { seeds } = createClusterKeys({ cluster: 'sohu', groups: ['0'], chips, clients: [] });
    const written = [...seeds.keys()].map((name) => `${name}.nk`);
    const known = [...written, 'authorization.conf', 'api-keys.json'];
    const files = [...BASE.secretGenerator!, ...BASE.configMapGenerator!].flatMap(keyOf);
    for (const [, file] of files) {
      assert.ok(known.includes(file.replace(/^.*keys\//, '')), file);
    }
    assert.equal(files.filter(([name]) => name === 'chip-seeds').length, chips.length);
  });

  test('kustomize builds every overlay', (t) => {
    // Debian has no kubectl that knows today's kustomizations: where there is none, the checks above remain.
    if (spawnSync('kubectl', ['version', '--client']).status !== 0) return t.skip('no kubectl');
    const deploy = join(makeTemporaryDirectory(t), 'deploy');
    cpSync(packagePath('deploy'), deploy, { recursive: true });
    cpSync(packagePath('grafana'), join(deploy, '../grafana'), { recursive: true });
    const keys = join(deploy, 'kubernetes/base/keys');
    const chips = oneSeatEach(CHIPS.spec.replicas!);
    writeClusterKeys(
      keys,
      createClusterKeys({ cluster: 'sohu', groups: ['0'], chips, clients: [] }),
    );
    addApiKey(join(keys, 'api-keys.json'), { name: 'test', owner: undefined });
    for (const [overlay, objects] of [
      ['monitoring', 30],
      ['phantom', 24],
    ] as const) {
      const folder = join(deploy, 'kubernetes/overlays', overlay);
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      assert.equal(stdout.match(/^kind: /gm)?.length, objects, overlay);
    }
  });

  test('what pods mount is generated', () => {
    const generated = [
      ...BASE.secretGenerator!.map(({ name }) => name),
      ...BASE.configMapGenerator!.map(({ name }) => name),
      ...readKustomization('../nats').configMapGenerator!.map(({ name }) => name),
    ];
    const mounted = PODS.flatMap(mountedNames);
    assert.deepEqual([...new Set(mounted)].sort(), generated.sort());
  });

  test('services, budgets and policies pick pods, and name ports that these have', () => {
    for (const { kind, metadata, spec } of MANIFESTS) {
      if (kind === 'Namespace' || metadata.name === 'default-deny') continue;
      const selector =
        kind === 'Service' ? { matchLabels: spec.selector! } : (spec.selector ?? spec.podSelector!);
      const picked = PODS.filter(({ metadata: { labels } }) => selects(selector, labels));
      assert.ok(picked.length > 0, `${kind} ${metadata.name}`);
      if (kind !== 'Service') continue;
      const ports = picked.flatMap((pod) => pod.spec.containers.flatMap((each) => each.ports));
      for (const { targetPort } of spec.ports!) {
        assert.ok(
          ports.some(({ name }) => name === targetPort),
          `${metadata.name}: ${targetPort}`,
        );
      }
    }
  });

  test('Prometheus and routers find the pods, by annotations and by a monitor', () => {
    for (const { metadata, spec } of PODS) {
      const [{ name, ports } = assert.fail()] = spec.containers;
      if (name === 'nats') continue;
      assert.equal(metadata.annotations?.['prometheus.io/port'], `${ports[0]!.containerPort}`);
      assert.equal(metadata.labels['llm-d.ai/engine-type'] !== undefined, name === 'gateway');
    }
    const [monitor] = readManifests('overlays/monitoring');
    assert.equal(monitor!.kind, 'ServiceMonitor');
    const services = MANIFESTS.filter(
      ({ kind, metadata }) =>
        kind === 'Service' && selects(monitor!.spec.selector!, metadata.labels ?? {}),
    );
    const ports = services.flatMap(({ spec }) => spec.ports!.map(({ name }) => name));
    assert.deepEqual(services.map(({ metadata }) => metadata.name).sort(), [
      'chip',
      'coordinator',
      'gateway',
    ]);
    assert.deepEqual(new Set(ports), new Set(monitor!.spec.endpoints!.map(({ port }) => port)));
  });
});
