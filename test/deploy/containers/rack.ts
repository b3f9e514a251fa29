import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { packagePath } from '../../../services/runtime/package-info.ts';
import { until } from '../../support/live-cluster.ts';
import type { Engine } from './engine.ts';
import { makeStandIns } from './stand-ins.ts';

const CHIPS = Array.from({ length: 8 }, (_, rank) => rank);

/** Everything of compose.yaml but Grafana, of which Debian has no package. */
export const SERVICES: readonly string[] = [
  ...['nats', 'coordinator', 'gateway', 'prometheus'],
  ...CHIPS.map((rank) => `chip-${rank}`),
];

/** What compose.cluster.yaml adds. */
export const SECOND_GROUP: readonly string[] = [
  ...['nats-2', 'nats-3', 'coordinator-1'],
  ...CHIPS.map((rank) => `chip-1-${rank}`),
];

/** What the engine says of a container. */
export interface Container {
  readonly Id: string;
  readonly State: {
    readonly Pid: number;
    readonly Status: string;
    readonly Health?: { readonly Status: string };
  };
  readonly RestartCount: number;
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string }[] | null>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

/** The Compose file, running. */
export interface Rack {
  readonly apiKey: string;
  readonly services: readonly string[];
  inspect(service: string): Promise<Container>;
  /** Runs a command in a container, and resolves to what it printed. */
  execute(service: string, ...command: readonly string[]): Promise<string>;
  /** Whether a network has no way out. */
  isInternal(network: string): Promise<boolean>;
  /** Ends a service until it is asked for again. */
  stop(service: string): Promise<void>;
  /** Resolves when all services are healthy. */
  untilHealthy(): Promise<void>;
  /** Base URL of the gateway, which may change when it starts anew. */
  gatewayUrl(): Promise<string>;
  /** Ends and removes everything; resolves to the names of what is left. */
  down(): Promise<readonly string[]>;
}

/** The image that every process runs from, and keys that the image made. */
export interface Provisions {
  readonly engine: Engine;
  readonly keys: string;
  readonly apiKey: string;
}

/** Builds the image as the README does, and makes keys with it for two groups. */
export async function makeProvisions(engine: Engine): Promise<Provisions> {
  await makeStandIns(engine);
  // The engine's containers have no network of their own to fetch packages by.
  const build = ['build', '--network', 'host', '-f', 'deploy/Dockerfile', '-t', 'sohu', '.'];
  await engine.run('docker', build, { cwd: packagePath('.') });
  const keys = join(engine.directory, 'keys');
  const sohu = (...args: readonly string[]): Promise<string> => {
    const mount = ['--network', 'none', '--user', '0', '-v', `${keys}:/keys`];
    const main = 'dist/services/cli/main.js';
    return engine.docker('run', '--rm', ...mount, 'sohu', main, ...args, '--owner', '10001');
  };
  await sohu('keys', 'init', '/keys', '--group', '0', '--group', '1');
  const apiKey = (await sohu('keys', 'api', '/keys/api-keys.json')).trim();
  return { engine, keys, apiKey };
}

/** Brings services of compose.yaml and the overlays up, for the length of a test. */
export async function startRack(
  t: TestContext,
  { engine, keys, apiKey }: Provisions,
  { services, overlays = [] }: { services: readonly string[]; overlays?: readonly string[] },
): Promise<Rack> {
  const files = ['compose.yaml', ...overlays].flatMap((file) => ['-f', `deploy/${file}`]);
  // Any free ports.
  const env = { SOHU_KEYS: keys, SOHU_HTTP_PORT: '0', SOHU_GRAFANA_PORT: '0' };
  const compose = (...args: readonly string[]): Promise<string> =>
    engine.run('docker-compose', [...files, ...args], { cwd: packagePath('.'), env });
  const down = async (): Promise<readonly string[]> => {
    await compose('down', '--volumes', '--timeout', '20');
    return listLeft(engine);
  };
  // A test that failed on the way says so itself.
  t.after(() => down().catch(() => {}));
  await compose('up', '--no-build', '--detach', ...services);
  return makeRack(engine, { apiKey, services, compose, down });
}

function makeRack(
  engine: Engine,
  parts: Pick<Rack, 'apiKey' | 'down'> & {
    readonly services: readonly string[];
    readonly compose: (...args: readonly string[]) => Promise<string>;
  },
): Rack {
  const { apiKey, services, compose, down } = parts;
  const idOf = async (service: string): Promise<string> => {
    const label = `label=com.docker.compose.service=${service}`;
    return (await engine.docker('ps', '--all', '--quiet', '--filter', label)).trim();
  };
  const inspect = async (service: string): Promise<Container> => {
    const [container] = JSON.parse(await engine.docker('inspect', await idOf(service)));
    return container;
  };
  return {
    ...{ apiKey, services },
    inspect,
    execute: async (service, ...command) => engine.docker('exec', await idOf(service), ...command),
    isInternal: async (network) => {
      const [{ Internal }] = JSON.parse(await engine.docker('network', 'inspect', network));
      return Internal;
    },
    stop: async (service) => {
      await engine.docker('stop', await idOf(service));
    },
    untilHealthy: async () => {
      for (const service of services) {
        await until(`${service} is healthy`, async () => {
          return (await inspect(service)).State.Health?.Status === 'healthy';
        });
      }
    },
    gatewayUrl: async () => `http://${(await compose('port', 'gateway', '8000')).trim()}`,
    down,
  };
}

async function listLeft(engine: Engine): Promise<readonly string[]> {
  const lists = await Promise.all([
    engine.docker('ps', '--all', '--format', '{{.Names}}'),
    engine.docker('network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}'),
    engine.docker('volume', 'ls', '--format', '{{.Name}}'),
  ]);
  return lists.join('').split('\n').filter(Boolean);
}
