import { basename } from 'node:path';
import type { Command } from 'commander';
import { SohuClient } from '../../client/index.ts';
import { logDirectoryOf } from '../../runtime/state/cluster-logs.ts';
import {
  type ClusterRecord,
  findRunningClusters,
  readStopOrder,
} from '../../runtime/state/cluster-records.ts';
import { formatDuration } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

/** Whether a cluster takes requests; `forming` is one whose chips load or form their group anew. */
type ClusterState = 'serving' | 'forming' | 'stopping' | 'unreachable';

const EXAMPLES = `Examples:
  sohu ps                     the clusters that run on this machine
  sohu ps --json              the same for programs
`;
const ANSWER_TIMEOUT_MS = 2_000;
const HEAD = ['Cluster', 'State', 'Model', 'Precision', 'Chips', 'Up', 'HTTP', 'Broker', 'PID'];

/** Adds `sohu ps`, which lists the clusters that run. */
export function addPsCommand(program: Command): void {
  program
    .command('ps')
    .description('List the clusters that run on this machine for this user.')
    .option('--json', 'print a JSON array')
    .addHelpText('before', EXAMPLES)
    .action(ps);
}

async function ps({ json }: { readonly json?: true }): Promise<void> {
  const records = findRunningClusters();
  const states = await Promise.all(records.map(stateOf));
  const clusters = records.map((record, index) => describe(record, states[index]!));
  if (json) process.stdout.write(`${JSON.stringify(clusters)}\n`);
  else if (clusters.length === 0) process.stderr.write('No cluster runs: `sohu up` starts one.\n');
  else process.stdout.write(`${tableOf(clusters)}\n`);
}

type DescribedCluster = ReturnType<typeof describe>;

function describe(record: ClusterRecord, state: ClusterState) {
  const { startedAt } = record;
  const uptimeMs = startedAt === undefined ? undefined : Date.now() - Date.parse(startedAt);
  return {
    cluster: record.cluster,
    state,
    model: basename(record.model),
    model_path: record.model,
    precision: record.precision,
    chips: record.tp,
    pid: record.pid,
    started_at: startedAt ?? null,
    uptime_s: uptimeMs === undefined ? null : Math.floor(uptimeMs / 1000),
    http_url: record.gatewayUrl ?? null,
    nats_url: record.natsUrl,
    grpc_address: record.grpcAddress ?? null,
    metrics_url: record.metricsAddress ? `http://${record.metricsAddress}/metrics` : null,
    log_directory: logDirectoryOf(record.pid),
  };
}

async function stateOf({ natsUrl, cluster, pid }: ClusterRecord): Promise<ClusterState> {
  if (readStopOrder(pid) !== undefined) return 'stopping';
  try {
    const options = { cluster, timeoutMs: ANSWER_TIMEOUT_MS, retry: false } as const;
    const client = await SohuClient.connect(natsUrl, options);
    try {
      return (await client.health()) === 'SERVING' ? 'serving' : 'forming';
    } finally {
      await client.close();
    }
  } catch {
    return 'unreachable';
  }
}

function tableOf(clusters: readonly DescribedCluster[]): string {
  const rows = clusters.map((cluster) => [
    cluster.cluster,
    cluster.state,
    cluster.model,
    cluster.precision,
    String(cluster.chips),
    cluster.uptime_s === null ? '' : formatDuration(cluster.uptime_s),
    cluster.http_url ?? '',
    cluster.nats_url,
    String(cluster.pid),
  ]);
  return renderTable(HEAD, rows, { stream: process.stdout, textColumns: 4 });
}
