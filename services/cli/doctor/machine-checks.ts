import { once } from 'node:events';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { packagePath } from '../../runtime/package-info.ts';
import { findStaleClusters } from '../../runtime/state/cluster-records.ts';
import { stateDirectory } from '../../runtime/state/state-directory.ts';
import { countOf, formatBytes } from '../terminal/format.ts';
import { type Check, need, tryNeed, wish } from './check.ts';

/** Nine Node processes with the default model. */
const MINIMUM_MEMORY_BYTES = 1e9;
/** Sockets and files of a broker with eight chips, and of as many clients. */
const MINIMUM_OPEN_FILES = 1024;
const LOOPBACK = '127.0.0.1';
const GATEWAY_PORT = 8000;

/** What the machine and this user's part of it offer. */
export async function checkSurroundings(): Promise<Check[]> {
  return [
    checkCores(),
    checkMemory(),
    checkOpenFiles(),
    await checkPorts(),
    await checkGatewayPort(),
    checkClock(),
    checkState(),
    checkStaleClusters(),
  ];
}

function checkCores(): Check {
  return need('Processor', true, `${countOf(availableParallelism(), 'core')} of ${process.arch}`);
}

function checkMemory(): Check {
  const bytes = process.availableMemory();
  const ok = bytes >= MINIMUM_MEMORY_BYTES;
  const wanted = ok ? '' : `: eight chips need ${formatBytes(MINIMUM_MEMORY_BYTES)}`;
  return need('Memory', ok, `${formatBytes(bytes)} available${wanted}`);
}

function checkOpenFiles(): Check {
  const name = 'Open files';
  const limit = readOpenFilesLimit();
  if (limit === undefined) return need(name, true, 'the system does not tell its limit');
  const ok = limit >= MINIMUM_OPEN_FILES;
  const advice = ok ? '' : `: run \`ulimit -n ${MINIMUM_OPEN_FILES}\``;
  return need(name, ok, `at most ${limit}${advice}`);
}

/** The soft limit of this process, which its children inherit. */
function readOpenFilesLimit(): number | undefined {
  try {
    const [, limit] =
      /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    if (limit === undefined) return undefined;
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return undefined;
  }
}

/** Every process of a cluster listens at a free port of the loopback address. */
async function checkPorts(): Promise<Check> {
  const problem = await tryListen(0);
  return need('Ports', problem === undefined, problem ?? `${LOOPBACK} has free ones`);
}

async function checkGatewayPort(): Promise<Check> {
  const problem = await tryListen(GATEWAY_PORT);
  const detail = problem ?? 'free for HTTP';
  const advice = problem === undefined ? '' : '; `sohu up --port 0` takes a free one';
  return wish(`Port ${GATEWAY_PORT}`, problem === undefined, detail + advice);
}

async function tryListen(port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'EADDRINUSE' ? 'taken' : message;
  } finally {
    server.close();
  }
}

/** Records, logs and keys of clients rest on the wall clock, everything else on the monotonic one. */
function checkClock(): Check {
  const now = new Date();
  const installed = statSync(packagePath('package.json')).mtime;
  const ok = now >= installed;
  const advice = ok
    ? ''
    : `, before this program was installed (${installed.toISOString()}): set it`;
  return need('Clock', ok, `${now.toISOString()}${advice}`);
}

function checkState(): Check {
  return tryNeed('State directory', () => {
    const directory = stateDirectory();
    let existing = directory;
    while (!existsSync(existing)) existing = dirname(existing);
    accessSync(existing, constants.W_OK);
    return directory;
  });
}

function checkStaleClusters(): Check {
  const stale = findStaleClusters();
  const names = stale.map(({ cluster, pid }) => `${cluster} (pid ${pid})`).join(', ');
  const detail =
    stale.length === 0 ? 'none' : `${names} ended without a word: \`sohu down\` cleans up`;
  return wish('Stale clusters', stale.length === 0, detail);
}
