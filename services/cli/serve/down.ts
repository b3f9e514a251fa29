import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';
import { isRunning } from '../../runtime/process/process-identity.ts';
import {
  type ClusterRecord,
  findStaleClusters,
  forgetCluster,
  leaveStopOrder,
} from '../../runtime/state/cluster-records.ts';
import { EXIT_CODES } from '../terminal/errors.ts';
import { countOf, formatMs } from '../terminal/format.ts';
import { pickCluster, pickClusters } from './pick-clusters.ts';

interface DownOptions {
  readonly all: true | undefined;
  readonly timeout: number;
  readonly json: true | undefined;
}

interface Ended {
  readonly record: ClusterRecord;
  readonly outcome: 'stopped' | 'killed';
  readonly durationMs: number;
}

const EXAMPLES = `Examples:
  sohu down                     the one cluster that runs; open requests may take 30 s
  sohu down rack-2 --timeout 0  a cluster by its name; open requests are cancelled
  sohu down --all --json
`;
const DEFAULT_TIMEOUT_S = 30;
/** What its processes may take to end after their work has. */
const STOP_GRACE_MS = 15_000;
const POLL_MS = 20;

/** Adds `sohu down`, which stops clusters in good order. */
export function addDownCommand(program: Command): void {
  program
    .command('down')
    .description('Stop a cluster: what it has accepted finishes, or is cancelled when time is up.')
    .argument('[cluster]', 'its name or its process number')
    .option('--all', 'every cluster that runs')
    .option('--timeout <seconds>', 'for open requests', wholeNumber(0), DEFAULT_TIMEOUT_S)
    .option('--json', 'print a JSON array')
    .addHelpText('before', EXAMPLES)
    .action(down);
}

async function down(wanted: string | undefined, options: DownOptions): Promise<void> {
  const { all, timeout, json } = options;
  if (all && wanted !== undefined) {
    throw new InvalidArgumentError(
      `--all and the cluster ${JSON.stringify(wanted)} exclude each other`,
    );
  }
  const stale = findStaleClusters();
  for (const { pid } of stale) forgetCluster(pid);
  const records = all ? pickClusters(undefined) : [pickCluster(wanted)].flatMap((one) => one ?? []);
  const ended = await Promise.all(records.map((record) => stop(record, 1000 * timeout)));
  if (ended.some(({ outcome }) => outcome === 'killed')) process.exitCode = EXIT_CODES.failed;
  if (json) process.stdout.write(`${JSON.stringify(ended.map(endedObject))}\n`);
  else for (const line of [...ended.map(endedLine), ...staleLines(stale)]) tell(line);
  if (!json && ended.length === 0) tell('No cluster runs.');
}

/** Resolves when the cluster's process is gone; one that does not obey is killed. */
async function stop(record: ClusterRecord, drainMs: number): Promise<Ended> {
  const { pid, processStart } = record;
  const beganMs = performance.now();
  const runs = (): boolean => isRunning(pid, processStart);
  leaveStopOrder(pid, drainMs);
  signal(pid, 'SIGTERM');
  const endMs = beganMs + drainMs + STOP_GRACE_MS;
  while (runs() && performance.now() < endMs) await delay(POLL_MS);
  const outcome = runs() ? 'killed' : 'stopped';
  // Its processes end with it.
  if (outcome === 'killed') signal(pid, 'SIGKILL');
  while (runs()) await delay(POLL_MS);
  forgetCluster(pid);
  return { record, outcome, durationMs: performance.now() - beganMs };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

function endedObject({ record, outcome, durationMs }: Ended): object {
  return { cluster: record.cluster, pid: record.pid, outcome, duration_ms: durationMs };
}

function endedLine({ record, outcome, durationMs }: Ended): string {
  const how = outcome === 'stopped' ? 'stopped' : 'did not obey and was killed';
  return `${record.cluster} (pid ${record.pid}) ${how} after ${formatMs(durationMs)}.`;
}

function staleLines(stale: readonly ClusterRecord[]): string[] {
  if (stale.length === 0) return [];
  return [`Cleaned ${countOf(stale.length, 'record')} of clusters whose process is gone.`];
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
