import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { createKernelMemory, createWasmKernels } from '../kernels/wasm.ts';
import { findNatsServer } from '../runtime/broker/find-nats-server.ts';
import { checkServable } from '../runtime/cluster/check-servable.ts';
import { packagePath } from '../runtime/package-info.ts';
import { stateDirectory } from '../runtime/state/state-directory.ts';
import { addClusterOptions, type ClusterOptions } from './cluster-options.ts';
import { countOf, formatBytes } from './format.ts';

/** One thing that a cluster needs. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what to do. */
  readonly detail: string;
}

const MINIMUM_NODE = [20, 19] as const;
/** Nine Node processes with the default model. */
const MINIMUM_MEMORY_BYTES = 1e9;
const BUILT_FILES = [
  'dist/proto/sohu.js',
  'dist/services/kernels/kernels.wasm',
  'dist/services/worker/main.js',
  'dist/services/coordinator/main.js',
];
const APT_ADVICE = '`sohu up` installs it with apt-get into the cache';
const ADVICE = 'install it (https://nats.io/download/), or set SOHU_NATS_SERVER to its path';
const run = promisify(execFile);

class NotInstalledError extends Error {}

/** Looks at the machine; changes nothing. */
export async function checkMachine(): Promise<Check[]> {
  return [
    checkNode(),
    checkCores(),
    checkMemory(),
    checkBuild(),
    checkKernels(),
    checkModel(),
    await checkBroker(),
    checkState(),
  ];
}

function checkNode(): Check {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = MINIMUM_NODE;
  const ok = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  const detail = ok ? node : `${node}: install ${MINIMUM_NODE.join('.')} or later`;
  return { name: 'Node.js', ok, detail };
}

function checkCores(): Check {
  const cores = countOf(availableParallelism(), 'core');
  return { name: 'Processor', ok: true, detail: `${cores} of ${process.arch}` };
}

function checkMemory(): Check {
  const bytes = process.availableMemory();
  const ok = bytes >= MINIMUM_MEMORY_BYTES;
  const wish = ok ? '' : `: eight chips need ${formatBytes(MINIMUM_MEMORY_BYTES)}`;
  return { name: 'Memory', ok, detail: `${formatBytes(bytes)} available${wish}` };
}

function checkBuild(): Check {
  const missing = BUILT_FILES.filter((file) => !existsSync(packagePath(file)));
  const ok = missing.length === 0;
  const detail = ok ? 'complete' : `${missing.join(', ')} missing: run \`npm run build\``;
  return { name: 'Build', ok, detail };
}

function checkKernels(): Check {
  const attempt = (): string => {
    createWasmKernels(createKernelMemory(0, { shared: true }));
    return 'SIMD and threads supported';
  };
  return tryCheck('WebAssembly', attempt);
}

function checkModel(): Check {
  const defaults = addClusterOptions(new Command()).opts<ClusterOptions>();
  return tryCheck('Default model', () => checkServable(defaults).model);
}

/** A broker that is missing is no lack where the distribution's tools can install it. */
async function checkBroker(): Promise<Check> {
  const name = 'Broker';
  try {
    // To throw where an installation is announced keeps it from happening.
    const report = (): never => {
      throw new NotInstalledError();
    };
    const path = await findNatsServer({ report });
    const { stdout, stderr } = await run(path, ['--version']);
    return { name, ok: true, detail: `${path} (${(stdout + stderr).trim()})` };
  } catch (error) {
    if (!(error instanceof NotInstalledError)) {
      return { name, ok: false, detail: (error as Error).message };
    }
    const tools = await Promise.all(['apt-get', 'dpkg-deb'].map(isProgram));
    const ok = tools.every(Boolean);
    return { name, ok, detail: `nats-server is not installed: ${ok ? APT_ADVICE : ADVICE}` };
  }
}

function checkState(): Check {
  return tryCheck('State directory', () => {
    const directory = stateDirectory();
    let existing = directory;
    while (!existsSync(existing)) existing = dirname(existing);
    accessSync(existing, constants.W_OK);
    return directory;
  });
}

function tryCheck(name: string, attempt: () => string): Check {
  try {
    return { name, ok: true, detail: attempt() };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message };
  }
}

async function isProgram(name: string): Promise<boolean> {
  return run(name, ['--version']).then(
    () => true,
    () => false,
  );
}
