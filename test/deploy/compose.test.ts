import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import {
  createClusterKeys,
  memberName,
  oneSeatEach,
  writeClusterKeys,
} from '../../services/runtime/broker/cluster-keys.ts';
import { checkExposure } from '../../services/runtime/options/gateway-options.ts';
import type { GatewayProcessOptions } from '../../services/runtime/options/gateway-process-options.ts';
import type { NodeOptions } from '../../services/runtime/options/node-options.ts';
import { resolveServing } from '../../services/runtime/options/resolve-serving.ts';
import type { ServingOptions } from '../../services/runtime/options/serving-options.ts';
import type { ShutdownOptions } from '../../services/runtime/options/shutdown-options.ts';
import type { WorkerOptions } from '../../services/runtime/options/worker-options.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { natsServerBinary } from '../support/broker.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { optionsOf, readCompose, type Service } from './compose-file.ts';
import { programOf } from './process-options.ts';
import { runProgram } from './programs.ts';

const OVERLAYS = ['compose.cluster.yaml', 'compose.phantom.yaml'];

function seedOf({ secrets }: Service): string | undefined {
  return secrets?.find(({ target }) => target === 'nkey')?.source;
}

test('eight chips, their coordinator and the gateway start with options that the programs know', (t) => {
  const compose = readCompose(t);
  if (compose === undefined) return;
  const { services } = compose;
  const ranks = Array.from({ length: 8 }, (_, rank) => {
    const service = services[`chip-${rank}`]!;
    const options = optionsOf<WorkerOptions>(service, 'worker');
    assert.deepEqual([options.nats, options.metricsHost], ['nats://nats:4222', '0.0.0.0']);
    assert.equal(seedOf(service), memberName({ kind: 'chip', group: '0', seats: [rank] }));
    return options.rank;
  }).flat();
  assert.deepEqual(ranks, [0, 1, 2, 3, 4, 5, 6, 7]);
  type CoordinatorOptions = NodeOptions & ServingOptions;
  const options = optionsOf<CoordinatorOptions>(services.coordinator!, 'coordinator');
  assert.equal(options.nats, 'nats://nats:4222');
  assert.equal(options.tp, ranks.length);
  assert.equal(options.model, 'tinystories-5m');
  assert.equal(seedOf(services.coordinator!), memberName({ kind: 'coordinator', group: '0' }));
  const served = optionsOf<GatewayProcessOptions>(services.gateway!, 'gateway');
  checkExposure(served);
  assert.equal(served.allowAnonymous, undefined);
  assert.deepEqual([served.nats, served.model], [options.nats, options.model]);
  assert.deepEqual(services.gateway!.ports, [`127.0.0.1:${served.port}:${served.port}/tcp`]);
});

test('the overlay of three brokers has a second group, whose chips meet at another broker', (t) => {
  const compose = readCompose(t, 'compose.cluster.yaml');
  if (compose === undefined) return;
  const chips = Object.entries(compose.services).filter(([name]) => name.startsWith('chip-'));
  const options = chips.map(([, service]) => optionsOf<WorkerOptions>(service, 'worker'));
  const places = options.map(({ group, rank, nats }) => `${group}.${rank} ${nats.split(',')[0]}`);
  const expected = ['0', '1'].flatMap((group) =>
    Array.from(
      { length: 8 },
      (_, rank) => `${group}.${rank} nats://nats${group === '0' ? '' : '-2'}:4222`,
    ),
  );
  assert.deepEqual(places.sort(), expected.sort());
  const seeds = chips.map(([, service]) => seedOf(service));
  assert.equal(new Set(seeds).size, 16);
  const heads = ['coordinator', 'coordinator-1'].map((name) =>
    optionsOf<NodeOptions>(compose.services[name]!, 'coordinator'),
  );
  assert.deepEqual(
    heads.map(({ group }) => group),
    ['0', '1'],
  );
  const brokers = new Set(heads.flatMap(({ nats }) => nats.split(',')));
  assert.equal(brokers.size, 3);
  for (const url of brokers) assert.ok(new URL(url).hostname in compose.services, url);
  assert.equal(compose.networks.routes?.internal, true);
});

test('the overlay of phantoms serves Llama 3 70B, timed as on Sohu chips', (t) => {
  const compose = readCompose(t, 'compose.phantom.yaml');
  if (compose === undefined) return;
  const { coordinator, gateway } = compose.services;
  const options = optionsOf<ServingOptions>(coordinator!, 'coordinator');
  const { chip, speed } = resolveServing(options).phantom!;
  assert.deepEqual([chip, speed], ['Sohu', 1]);
  const served = optionsOf<GatewayProcessOptions>(gateway!, 'gateway');
  assert.deepEqual([options.model, served.model], ['llama-3-70b', 'llama-3-70b']);
});

test('the secrets are files that `sohu keys` writes', (t) => {
  const compose = readCompose(t, 'compose.cluster.yaml');
  if (compose === undefined) return;
  const members = { cluster: 'sohu', groups: ['0', '1'], chips: oneSeatEach(8), clients: [] };
  const written = [...createClusterKeys(members).seeds.keys()].map((name) => `${name}.nk`);
  for (const { file } of Object.values(compose.secrets)) {
    assert.ok([...written, 'api-keys.json'].includes(basename(file)), file);
  }
});

test('who answers requests is killed only after these may have ended', (t) => {
  const compose = readCompose(t, ...OVERLAYS);
  if (compose === undefined) return;
  const heads = Object.entries(compose.services).flatMap(([name, service]) => {
    const program = programOf(service.command ?? []);
    if (program !== 'coordinator' && program !== 'gateway') return [];
    const { shutdownTimeout } = optionsOf<ShutdownOptions>(service, program);
    const [, grace] = /^(\d+)s$/.exec(service.stop_grace_period!)!;
    assert.ok(shutdownTimeout >= 20 && shutdownTimeout < Number(grace), name);
    return [name];
  });
  assert.deepEqual(heads.sort(), ['coordinator', 'coordinator-1', 'gateway']);
});

test('every container may do little and is bounded', (t) => {
  const compose = readCompose(t, ...OVERLAYS);
  if (compose === undefined) return;
  for (const [name, service] of Object.entries(compose.services)) {
    assert.match(service.user ?? '', /^[1-9]\d*:\d+$/, name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.ok(service.mem_limit !== undefined && service.stop_grace_period !== undefined, name);
    assert.ok(service.cpus !== undefined, name);
    assert.ok(service.logging?.options['max-size'] !== undefined, `${name}: its logs`);
    assert.match(service.image, /^sohu$|:v?\d+\.\d+\.\d+/, `${name}: the image’s version`);
    assert.ok(service.image === 'sohu' || service.healthcheck !== undefined, name);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name);
    assert.equal(service.ports !== undefined, ['gateway', 'grafana'].includes(name), name);
    for (const dependency of Object.values(service.depends_on ?? {})) {
      assert.equal(dependency.condition, 'service_healthy', name);
    }
  }
});

test('the processes of the cluster, but for the gateway, reach only each other and the broker', (t) => {
  const compose = readCompose(t, ...OVERLAYS);
  if (compose === undefined) return;
  const own = Object.values(compose.services).filter(({ image }) => image === 'sohu');
  assert.equal(own.length, 19);
  const further = { worker: [], coordinator: ['monitoring'], gateway: ['edge'] };
  for (const { command, networks, depends_on } of own) {
    const expected = ['fabric', 'obs', ...further[programOf(command) as keyof typeof further]];
    assert.deepEqual(Object.keys(networks).sort(), expected.sort());
    assert.ok(Object.keys(depends_on ?? {}).some((name) => name.startsWith('nats')));
  }
  for (const name of ['fabric', 'obs', 'monitoring']) {
    assert.equal(compose.networks[name]?.internal, true, name);
  }
});

test('the image starts every process by the user and the health check of the Compose file', () => {
  const dockerfile = readFileSync(packagePath('deploy/Dockerfile'), 'utf8');
  const stages = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
  assert.equal(new Set(stages).size, 1, 'all stages have one Node');
  assert.match(stages[0]!, /^node:20\.\d+\.\d+-/);
  assert.match(dockerfile, /^USER 10001:10001$/m);
  assert.match(dockerfile, /^HEALTHCHECK .*\\\n.*:9464\/healthz/m);
});

test('the broker accepts its configurations, with the keys that are written for it', async (t) => {
  const binary = await natsServerBinary(t);
  if (binary === undefined) return;
  const directory = makeTemporaryDirectory(t);
  cpSync(packagePath('deploy/nats'), directory, { recursive: true });
  const members = {
    cluster: 'sohu',
    groups: ['0', '1'],
    chips: oneSeatEach(8),
    clients: ['alice'],
  };
  writeClusterKeys(directory, createClusterKeys(members));
  const env = { BROKER_MONITORING: 'nats-monitoring:8222' };
  const unnamed = runProgram(t, binary, ['-t', '-c', join(directory, 'nats-server.conf')]);
  assert.match(unnamed!.stderr, /BROKER_MONITORING/);
  for (const file of ['nats-server.conf', 'cluster.conf']) {
    const result = runProgram(t, binary, ['-t', '-c', join(directory, file)], env);
    assert.equal(result?.status, 0, result?.stderr);
  }
});
