import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import type { CoordinatorProcessOptions } from '../../services/runtime/options/coordinator-options.ts';
import type { ProgramName } from '../../services/runtime/options/programs.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { optionsOf, readCompose, type Service } from './compose-file.ts';
import { programOf } from './process-options.ts';
import { runProgram } from './programs.ts';

interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

interface ScrapeConfigs {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly static_configs?: readonly TargetGroup[];
    readonly file_sd_configs?: readonly { readonly files: readonly string[] }[];
  }[];
}

/** What Prometheus reads, as `job host:port`, from the files that are mounted for it. */
function readTargets(t: TestContext, { volumes = [] }: Service): string[] {
  const directory = makeTemporaryDirectory(t);
  for (const volume of volumes) {
    const [from, to] = volume.split(':') as [string, string];
    if (to.startsWith('/etc/prometheus')) cpSync(from, join(directory, to), { recursive: true });
  }
  const root = join(directory, 'etc/prometheus');
  const config = parse(readFileSync(join(root, 'prometheus.yml'), 'utf8')) as ScrapeConfigs;
  return config.scrape_configs.flatMap(
    ({ job_name, static_configs = [], file_sd_configs = [] }) => {
      const files = file_sd_configs.flatMap((each) => each.files);
      const found = files.flatMap((pattern) => {
        assert.match(pattern, /^targets\/\*\.yml$/);
        return readdirSync(join(root, 'targets')).map((name) => join(root, 'targets', name));
      });
      const groups = found.flatMap((file) => parse(readFileSync(file, 'utf8')) as TargetGroup[]);
      return [...static_configs, ...groups].flatMap(({ targets, labels }) =>
        targets.map((target) => `${labels?.job ?? job_name} ${target}`),
      );
    },
  );
}

const JOBS: Readonly<Partial<Record<ProgramName, string>>> = {
  worker: 'sohu-chip',
  coordinator: 'sohu-coordinator',
  gateway: 'sohu-gateway',
};

for (const [overlays, processes] of [
  [[], 10],
  [['compose.phantom.yaml'], 10],
  [['compose.cluster.yaml'], 19],
] as const) {
  const what = ['compose.yaml', ...overlays].join(' and ');
  test(`Prometheus asks exactly the processes of ${what}, at the ports they serve`, (t) => {
    const compose = readCompose(t, ...overlays);
    if (compose === undefined) return;
    const served = Object.entries(compose.services).flatMap(
      ([name, { command, environment = {} }]) => {
        const port = environment.SOHU_METRICS_PORT ?? environment.SOHU_PORT;
        const job = JOBS[programOf(command ?? []) ?? 'grpc'];
        return port === undefined ? [] : [`${job} ${name}:${port}`];
      },
    );
    assert.equal(served.length, processes);
    assert.deepEqual(readTargets(t, compose.services.prometheus!).sort(), served.sort());
  });
}

test('coordinators read the figures of every broker, where nobody else is', (t) => {
  for (const [overlays, count] of [
    [[], 1],
    [['compose.cluster.yaml'], 3],
  ] as const) {
    const compose = readCompose(t, ...overlays);
    if (compose === undefined) return;
    const services = Object.entries(compose.services);
    const brokers = services.filter(([, { image }]) => image.startsWith('nats:'));
    const served = brokers.map(([name, { environment, networks }]) => {
      const address = environment!.BROKER_MONITORING!;
      assert.equal(address, `${name}-monitoring:8222`);
      const named = Object.entries(networks).filter(([, it]) =>
        it?.aliases?.includes(`${name}-monitoring`),
      );
      assert.deepEqual(
        named.map(([network]) => network),
        ['monitoring'],
        name,
      );
      return `http://${address}`;
    });
    assert.equal(served.length, count);
    for (const [name, service] of services) {
      const isBroker = brokers.some(([broker]) => broker === name);
      const isCoordinator = programOf(service.command ?? []) === 'coordinator';
      const isThere = 'monitoring' in service.networks;
      assert.equal(isThere, isBroker || isCoordinator, name);
      if (!isCoordinator) continue;
      const { natsMonitoring } = optionsOf<CoordinatorProcessOptions>(service, 'coordinator');
      assert.deepEqual([...natsMonitoring].sort(), served.sort());
    }
  }
});

test('Prometheus accepts its configuration and both groups, and would refuse a wrong one', (t) => {
  const directory = makeTemporaryDirectory(t);
  cpSync(packagePath('deploy/prometheus'), directory, { recursive: true });
  const args = ['check', 'config', join(directory, 'prometheus.yml')];
  const right = runProgram(t, 'promtool', args);
  if (right === undefined) return;
  assert.equal(right.status, 0, right.stderr);
  const group = join(directory, 'targets/group-1.yml');
  writeFileSync(group, readFileSync(group, 'utf8').replace('targets:', 'target:'));
  assert.match(runProgram(t, 'promtool', args)!.stderr, /field target not found/);
});
