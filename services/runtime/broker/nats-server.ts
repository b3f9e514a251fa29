import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedProcess, ProcessExit } from '../process/managed-process.ts';
import type { LineSink } from '../process/read-lines.ts';
import { spawnGuarded } from '../process/spawn-guarded.ts';
import { BrokerUnavailableError } from './broker-unavailable-error.ts';

export interface BrokerOptions {
  /** Path of the nats-server program; see `findNatsServer`. */
  readonly binary: string;
  /** The port for clients; by default the server takes a free one. */
  readonly port?: number;
  /** A file for the server's log; by default there is none. */
  readonly logFile?: string;
  /** The part of its configuration that says who may do what; by default everybody everything. */
  readonly authorization?: string;
  /** Takes the lines of its log, where that does not go to a file. */
  readonly onLine?: LineSink | undefined;
  readonly startTimeoutMs?: number;
  /** How long it may take over its own shutdown before it is killed. */
  readonly stopGraceMs?: number;
}

/** A nats-server of our own, on loopback. */
export interface Broker {
  readonly url: string;
  readonly port: number;
  /** Where its monitoring pages are, such as `/varz`. */
  readonly monitoringUrl: string;
  readonly pid: number;
  /** Its exit code; 128 plus the signal's number when a signal ended it. */
  readonly exited: Promise<number>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 5;

/** Starts a broker that ends with this process, and resolves when it accepts connections. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const directory = await mkdtemp(join(tmpdir(), 'sohu-broker-'));
  try {
    const configFile = join(directory, 'nats.conf');
    await writeFile(configFile, configText({ ...options, portsDirectory: directory }), {
      mode: 0o600,
    });
    const server = spawnGuarded({
      name: 'nats-server',
      command: options.binary,
      args: ['-c', configFile],
      env: goEnvironment(),
      onLine: options.onLine,
    });
    const urls = await untilReady({ server, directory, options });
    return makeBroker({ server, urls, options });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What the server writes to its ports file. */
interface BrokerUrls {
  readonly nats: readonly [string];
  readonly monitoring: readonly [string];
}

interface ConfigInput {
  readonly portsDirectory: string;
  readonly port?: number;
  readonly logFile?: string;
  readonly authorization?: string;
}

// max_pending and write_deadline bound what one hung reader may hold back before it is cut off.
function configText({
  port = -1,
  portsDirectory,
  logFile,
  authorization = '',
}: ConfigInput): string {
  return [
    `listen: "127.0.0.1:${port}"`,
    'http: "127.0.0.1:-1"',
    `ports_file_dir: ${JSON.stringify(portsDirectory)}`,
    'max_payload: 8MB',
    'max_pending: 64MB',
    'write_deadline: "2s"',
    // Whoever takes the lines knows when.
    `logtime: ${logFile !== undefined}`,
    ...(logFile === undefined ? [] : [`log_file: ${JSON.stringify(logFile)}`]),
    authorization,
  ].join('\n');
}

/**
 * Go's scheduler and collector, set for a broker that shares the machine with its chips: a second
 * thread mostly spins for work, and collecting less often saves most of its collections. What the
 * user has set stays.
 */
function goEnvironment(): Record<string, string> {
  const threads = Math.max(1, Math.floor(availableParallelism() / 4));
  const { GOMAXPROCS = String(threads), GOGC = '400' } = process.env;
  return { GOMAXPROCS, GOGC };
}

interface StartingBroker {
  readonly server: ManagedProcess;
  readonly directory: string;
  readonly options: BrokerOptions;
}

/** The server writes its ports file once it listens. */
async function untilReady({ server, directory, options }: StartingBroker): Promise<BrokerUrls> {
  let exit: ProcessExit | undefined;
  void server.exited.then((value) => {
    exit = value;
  });
  const timeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
  for (const startMs = performance.now(); performance.now() - startMs < timeoutMs; ) {
    if (exit !== undefined) throw startError(options.binary, exit);
    const urls = await readPortsFile(directory);
    if (urls !== undefined) return urls;
    await delay(POLL_MS);
  }
  await server.stop(options.stopGraceMs);
  throw new BrokerUnavailableError(
    `the broker ${options.binary} did not listen within ${timeoutMs} ms`,
  );
}

async function readPortsFile(directory: string): Promise<BrokerUrls | undefined> {
  const file = (await readdir(directory)).find((name) => name.endsWith('.ports'));
  if (file === undefined) return undefined;
  try {
    return JSON.parse(await readFile(join(directory, file), 'utf8')) as BrokerUrls;
  } catch {
    return undefined; // Not written to its end yet.
  }
}

function startError(binary: string, exit: ProcessExit): BrokerUnavailableError {
  const lastLine = exit.stderrTail.split('\n').at(-1);
  const reason = lastLine || `it ended with ${exit.signal ?? `exit code ${exit.code}`}`;
  return new BrokerUnavailableError(`the broker ${binary} did not start: ${reason}`);
}

interface ReadyBroker {
  readonly server: ManagedProcess;
  readonly urls: BrokerUrls;
  readonly options: BrokerOptions;
}

function makeBroker({ server, urls, options }: ReadyBroker): Broker {
  const url = urls.nats[0];
  return {
    url,
    port: Number(new URL(url).port),
    monitoringUrl: urls.monitoring[0],
    pid: server.pid,
    exited: server.exited.then(exitCode),
    stop: () => server.stop(options.stopGraceMs),
  };
}

function exitCode({ code, signal }: ProcessExit): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
