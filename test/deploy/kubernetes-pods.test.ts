import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createClusterKeys, oneSeatEach } from '../../services/runtime/broker/cluster-keys.ts';
import type { CoordinatorProcessOptions } from '../../services/runtime/options/coordinator-options.ts';
import { checkExposure } from '../../services/runtime/options/gateway-options.ts';
import type { GatewayProcessOptions } from '../../services/runtime/options/gateway-process-options.ts';
import { resolveServing } from '../../services/runtime/options/resolve-serving.ts';
import type { WorkerOptions } from '../../services/runtime/options/worker-options.ts';
import { KUBERNETES, readManifests, selects } from './manifests.ts';
import { type Pod, readPods } from './pods.ts';
import { processOptions, programOf, unknownVariables } from './process-options.ts';

const SERVICES = readManifests('base').filter(({ kind }) => kind === 'Service');
const PODS = readPods();
const OVERLAYS = [undefined, 'phantom'] as const;

type Options = CoordinatorProcessOptions & GatewayProcessOptions & WorkerOptions;

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
  const service = SERVICES.find(({ metadata }) => metadata.name === hostname);
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
