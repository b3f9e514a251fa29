import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseDocument, Scalar, visit } from 'yaml';
import { spawnGuarded } from '../../services/runtime/process/spawn-guarded.ts';
import { until } from '../support/live-cluster.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const DIRECTORY = 'deploy/prometheus';

/** One series, and its values at moments in seconds since 1970. */
export interface Line {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

export interface Rule {
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly type: 'alerting' | 'recording';
}

/** A Prometheus with the committed configuration. */
export interface PrometheusServer {
  /** The series of an expression now, each with one point. */
  query(expression: string): Promise<readonly Line[]>;
  /** The same over the last seconds, in steps of one. */
  queryRange(expression: string, seconds: number): Promise<readonly Line[]>;
  rules(): Promise<readonly Rule[]>;
}

/** Where the processes of a cluster show their metrics, as host:port by the names of deploy/. */
export type Targets = ReadonlyMap<string, string>;

/** Starts it for the length of one test: of the configuration, only addresses are other ones. */
export async function startPrometheus(t: TestContext, targets: Targets): Promise<PrometheusServer> {
  const directory = makeTemporaryDirectory(t);
  cpSync(DIRECTORY, directory, { recursive: true });
  const config = join(directory, 'prometheus.yml');
  const groups = readdirSync(join(directory, 'targets')).map((name) =>
    join(directory, 'targets', name),
  );
  for (const file of [config, ...groups]) {
    writeFileSync(file, withAddresses(readFileSync(file, 'utf8'), targets));
  }
  const port = await freePort();
  const prometheus = spawnGuarded({
    name: 'prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  });
  t.after(() => prometheus.stop());
  const base = `http://127.0.0.1:${port}`;
  await until('prometheus is ready', async () => {
    const response = await fetch(`${base}/-/ready`).catch(() => undefined);
    return response?.ok === true;
  });
  return makeServer(base);
}

/** Processes that the cluster does not have are left out. */
function withAddresses(config: string, targets: Targets): string {
  const document = parseDocument(config);
  visit(document, {
    Scalar: (_, { value }) => {
      const [, name] = /^([\w-]+):\d+$/.exec(String(value)) ?? [];
      if (name === undefined) return undefined;
      const address = targets.get(name);
      return address === undefined ? visit.REMOVE : new Scalar(address);
    },
  });
  return document.toString();
}

function makeServer(base: string): PrometheusServer {
  const ask = async (path: string, parameters: Record<string, string> = {}) => {
    const response = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    assert.equal(answer.status, 'success', `${parameters.query}: ${answer.error}`);
    return answer.data;
  };
  return {
    query: async (query) => {
      const { result } = (await ask('query', { query })) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return result.map(({ metric, value }) => ({ labels: metric, points: [toPoint(value)] }));
    },
    queryRange: async (query, seconds) => {
      const end = Date.now() / 1000;
      const range = { start: String(end - seconds), end: String(end), step: '1' };
      const { result } = (await ask('query_range', { query, ...range })) as {
        result: { metric: Record<string, string>; values: [number, string][] }[];
      };
      return result.map(({ metric, values }) => ({ labels: metric, points: values.map(toPoint) }));
    },
    rules: async () => {
      const { groups } = (await ask('rules')) as { groups: { rules: Rule[] }[] };
      return groups.flatMap(({ rules }) => rules);
    },
  };
}

function toPoint([seconds, value]: [number, string]): [number, number] {
  return [seconds, Number(value.replace('Inf', 'Infinity'))];
}

/** A port that was free a moment ago: this server does not say which one it took. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
