import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { findNamed } from '../../core/support/nearest.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';
import { isRunning } from '../../runtime/process/process-identity.ts';
import { listClusterLogs, logDirectoryOf } from '../../runtime/state/cluster-logs.ts';
import {
  type LoggedLine,
  LogReader,
  listLoggedProcesses,
  mergeLines,
} from '../../runtime/state/read-logs.ts';
import { colorsFor } from '../terminal/format.ts';
import { listenForStop } from '../terminal/stop-requests.ts';
import { pickCluster } from './pick-clusters.ts';

interface LogsOptions {
  readonly follow: true | undefined;
  readonly process: readonly string[] | undefined;
  readonly lines: number;
  readonly json: true | undefined;
}

const EXAMPLES = `Examples:
  sohu logs                            the last 100 lines of all processes of the cluster
  sohu logs -f --process chip-3        one chip, and what it writes from now on
  sohu logs --process broker -n 20 --json
  sohu logs 41023                      by process number, also after the cluster has ended
`;
const POLL_MS = 150;
const COLORS = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'] as const;

/** Adds `sohu logs`, which shows what the processes of a cluster wrote. */
export function addLogsCommand(program: Command): void {
  program
    .command('logs')
    .description('Show what the processes of a cluster wrote, be it running or the last that was.')
    .argument('[cluster]', 'its name or its process number')
    .option('-f, --follow', 'go on with what they write, until the cluster ends')
    .option('-p, --process <name>', 'only this one, such as chip-3; repeatable', append)
    .option('-n, --lines <count>', 'the last lines', wholeNumber(0), 100)
    .option('--json', 'print one JSON object a line')
    .addHelpText('before', EXAMPLES)
    .action(logs);
}

async function logs(wanted: string | undefined, options: LogsOptions): Promise<void> {
  const signal = listenForStop();
  const pid = findLogs(wanted);
  if (pid === undefined) {
    process.stderr.write('No cluster has run yet: `sohu up` starts one.\n');
    return;
  }
  const directory = logDirectoryOf(pid);
  const processes = chooseProcesses(listLoggedProcesses(directory), options.process);
  const readers = processes.map((name) => new LogReader(directory, name));
  const print = printerFor(processes, options);
  const next = (): LoggedLine[] => mergeLines(readers.map((reader) => reader.read()));
  const kept = next();
  print(kept.slice(kept.length - Math.min(kept.length, options.lines)));
  if (options.follow) await follow(pid, { next, print, signal });
}

/** Ends with the cluster, or when the user has seen enough. */
async function follow(
  pid: number,
  {
    next,
    print,
    signal,
  }: {
    readonly next: () => LoggedLine[];
    readonly print: (lines: readonly LoggedLine[]) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (let runs = true; runs; ) {
    // Asked first, so that what it wrote last is still read.
    runs = isRunning(pid);
    print(next());
    if (runs) await delay(POLL_MS, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

/** The process whose cluster's logs are meant: of one that runs, else of the last one that did. */
function findLogs(wanted: string | undefined): number | undefined {
  const kept = listClusterLogs();
  const pid = kept.find((one) => String(one) === wanted);
  if (pid !== undefined) return pid;
  const running = pickCluster(wanted)?.pid;
  if (running === undefined || kept.includes(running)) return running ?? kept[0];
  throw new InvalidArgumentError(`the cluster of process ${running} keeps no logs`);
}

function chooseProcesses(all: readonly string[], wanted: readonly string[] = []): string[] {
  if (wanted.length === 0) return [...all];
  return wanted.map((name) => findNamed(all, name, { field: 'process', namesOf: (it) => [it] }));
}

function printerFor(
  processes: readonly string[],
  { json }: LogsOptions,
): (lines: readonly LoggedLine[]) => void {
  const colors = colorsFor(process.stdout);
  const width = Math.max(0, ...processes.map((name) => name.length));
  const titles = new Map(
    processes.map((name, index) => {
      const color = colors[COLORS[index % COLORS.length]!];
      return [name, color(`${name.padEnd(width)} |`)];
    }),
  );
  const textOf = (line: LoggedLine): string =>
    json ? JSON.stringify(line) : `${titles.get(line.process)} ${line.time} ${line.text}`;
  return (lines) => {
    if (lines.length > 0) process.stdout.write(`${lines.map(textOf).join('\n')}\n`);
  };
}

function append(name: string, before: readonly string[] = []): readonly string[] {
  return [...before, name];
}
