import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Command } from 'commander';
import { checkExposure } from '../../services/runtime/options/gateway-options.ts';
import {
  addGatewayProcessOptions,
  type GatewayProcessOptions,
} from '../../services/runtime/options/gateway-process-options.ts';
import { addNodeOptions } from '../../services/runtime/options/node-options.ts';
import { addServingOptions } from '../../services/runtime/options/serving-options.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { natsServerBinary } from '../support/broker.ts';
import { requireOrSkip } from '../support/requirements.ts';
import { runProgram } from './programs.ts';

interface Service {
  readonly image: string;
  readonly command: string | readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly stop_grace_period?: string;
  readonly ports?: readonly string[];
  readonly networks: Readonly<Record<string, unknown>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
}

// The Python that the distribution's docker-compose runs on, with its YAML package.
const PYTHON = '/usr/bin/python3';
const TO_JSON = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)';

/** The Compose file as docker-compose understands it. */
function readCompose(t: TestContext): ComposeFile | undefined {
  const config = runProgram(t, 'docker-compose', ['-f', 'deploy/compose.yaml', 'config']);
  if (config === undefined) return undefined;
  assert.equal(config.status, 0, config.stderr);
  const json = runProgram(t, PYTHON, ['-c', TO_JSON], config.stdout);
  if (json === undefined) return undefined;
  if (!requireOrSkip(t, json.status === 0, `the package yaml of ${PYTHON}`)) return undefined;
  return JSON.parse(json.stdout) as ComposeFile;
}

/** The arguments after `node <entry>`. */
function argumentsOf({ command }: Service, entry: string): readonly string[] {
  const [node, file, ...rest] = typeof command === 'string' ? command.split(' ') : command;
  assert.deepEqual([node, file], ['node', entry]);
  return rest;
}

test('eight chips, their coordinator and the gateway start with options that the programs know', (t) => {
  const compose = readCompose(t);
  if (compose === undefined) return;
  const parse = (command: Command, args: readonly string[]): Record<string, unknown> =>
    command.exitOverride().parse(args, { from: 'user' }).opts();
  const ranks = Array.from({ length: 8 }, (_, rank) => {
    const args = argumentsOf(compose.services[`chip-${rank}`]!, 'dist/services/worker/main.js');
    const options = parse(addNodeOptions(new Command()).requiredOption('--rank <number>'), args);
    assert.equal(options.nats, 'nats://nats:4222');
    assert.equal(options.metricsHost, '0.0.0.0');
    return Number(options.rank);
  });
  assert.deepEqual(ranks, [0, 1, 2, 3, 4, 5, 6, 7]);
  const entry = 'dist/services/coordinator/main.js';
  const args = argumentsOf(compose.services.coordinator!, entry);
  const options = parse(addServingOptions(addNodeOptions(new Command())), args);
  assert.equal(options.nats, 'nats://nats:4222');
  assert.equal(options.tp, ranks.length);
  assert.equal(options.model, 'tinystories-5m');
  const front = argumentsOf(compose.services.gateway!, 'dist/services/gateway/main.js');
  const served = parse(
    addGatewayProcessOptions(new Command()),
    front,
  ) as unknown as GatewayProcessOptions;
  checkExposure(served);
  assert.deepEqual([served.nats, served.model], [options.nats, options.model]);
  const published = `127.0.0.1:${served.port}:${served.port}`;
  assert.ok(compose.services.gateway!.ports?.[0]?.startsWith(published));
});

test('Prometheus asks exactly the processes of the cluster, at the ports they serve', (t) => {
  const compose = readCompose(t);
  if (compose === undefined) return;
  const served = Object.entries(compose.services).flatMap(([name, { command }]) => {
    const port = /--(?:metrics-)?port[= ,](\d+)/.exec(`${command}`)?.[1];
    return port === undefined ? [] : [`${name}:${port}`];
  });
  const config = readFileSync('deploy/prometheus/prometheus.yml', 'utf8');
  const asked = [...config.matchAll(/['"]([\w-]+:\d+)['"]/g)].map(([, target]) => target);
  assert.deepEqual(asked.sort(), served.sort());
  assert.equal(served.length, 10);
});

test('every container may do little and is bounded', (t) => {
  const compose = readCompose(t);
  if (compose === undefined) return;
  for (const [name, service] of Object.entries(compose.services)) {
    assert.match(service.user ?? '', /^[1-9]\d*:\d+$/, name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.ok(service.mem_limit !== undefined && service.stop_grace_period !== undefined, name);
    assert.match(service.image, /^sohu$|:v?\d+\.\d+\.\d+/, `${name}: the image’s version`);
    assert.ok(service.image === 'sohu' || service.healthcheck !== undefined, name);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name);
    for (const dependency of Object.values(service.depends_on ?? {})) {
      assert.equal(dependency.condition, 'service_healthy', name);
    }
  }
});

test('the processes of the cluster, but for the gateway, reach only each other and the broker', (t) => {
  const compose = readCompose(t);
  if (compose === undefined) return;
  const own = Object.values(compose.services).filter(({ image }) => image === 'sohu');
  assert.equal(own.length, 10);
  for (const { command, networks, depends_on } of own) {
    const isFront = `${command}`.includes('gateway');
    const expected = isFront ? ['edge', 'fabric', 'obs'] : ['fabric', 'obs'];
    assert.deepEqual(Object.keys(networks).sort(), expected);
    assert.ok(depends_on?.nats !== undefined);
  }
  for (const name of ['fabric', 'obs']) assert.equal(compose.networks[name]?.internal, true, name);
});

test('the image starts every process by the user and the health check of the Compose file', () => {
  const dockerfile = readFileSync(packagePath('deploy/Dockerfile'), 'utf8');
  const stages = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
  assert.equal(new Set(stages).size, 1, 'all stages have one Node');
  assert.match(stages[0]!, /^node:20\.\d+\.\d+-/);
  assert.match(dockerfile, /^USER 10001:10001$/m);
  assert.match(dockerfile, /^HEALTHCHECK .*\\\n.*:9464\/healthz/m);
});

test('the broker accepts its configuration', async (t) => {
  const binary = await natsServerBinary(t);
  if (binary === undefined) return;
  const result = runProgram(t, binary, ['-t', '-c', 'deploy/nats.conf']);
  assert.equal(result?.status, 0, result?.stderr);
});

test('Prometheus accepts its configuration', (t) => {
  const result = runProgram(t, 'promtool', ['check', 'config', 'deploy/prometheus/prometheus.yml']);
  if (result !== undefined) assert.equal(result.status, 0, result.stderr);
});
