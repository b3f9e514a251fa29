import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { createKernelMemory, createWasmKernels } from '../../kernels/wasm.ts';
import { findNatsServer } from '../../runtime/broker/find-nats-server.ts';
import { checkServable } from '../../runtime/cluster/check-servable.ts';
import { packagePath } from '../../runtime/package-info.ts';
import { addClusterOptions, type ClusterOptions } from '../serve/cluster-options.ts';
import { type Check, need, tryNeed, versionOf, wish } from './check.ts';

const MINIMUM_NODE = [20, 19] as const;
const BUILT_FILES = [
  'dist/proto/sohu.js',
  'dist/services/kernels/kernels.wasm',
  'dist/services/worker/main.js',
  'dist/services/coordinator/main.js',
  'dist/services/gateway/main.js',
];
const APT_ADVICE = '`sohu up` installs it with apt-get into the cache';
const ADVICE = 'install it (https://nats.io/download/), or set SOHU_NATS_SERVER to its path';

class NotInstalledError extends Error {}

/** What the program itself is made of, and the programs beside it. */
export async function checkPrograms(): Promise<Check[]> {
  return [
    checkNode(),
    checkBuild(),
    checkKernels(),
    checkModel(),
    await checkBroker(),
    ...(await Promise.all([checkDocker(), checkPrometheus()])),
  ];
}

function checkNode(): Check {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = MINIMUM_NODE;
  const ok = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  return need('Node.js', ok, ok ? node : `${node}: install ${MINIMUM_NODE.join('.')} or later`);
}

function checkBuild(): Check {
  const missing = BUILT_FILES.filter((file) => !existsSync(packagePath(file)));
  const ok = missing.length === 0;
  return need(
    'Build',
    ok,
    ok ? 'complete' : `${missing.join(', ')} missing: run \`npm run build\``,
  );
}

/** The kernels need both: a memory that threads share, and SIMD. */
function checkKernels(): Check {
  return tryNeed('WebAssembly', () => {
    createWasmKernels(createKernelMemory(0, { shared: true }));
    return 'SIMD and threads supported';
  });
}

function checkModel(): Check {
  const defaults = addClusterOptions(new Command()).opts<ClusterOptions>();
  return tryNeed('Default model', () => checkServable(defaults).model);
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
    const version = await versionOf(path);
    if (version === undefined) return need(name, false, `${path} does not run: ${ADVICE}`);
    return need(name, true, `${path} (${version})`);
  } catch (error) {
    if (!(error instanceof NotInstalledError)) return need(name, false, (error as Error).message);
    const tools = await Promise.all(['apt-get', 'dpkg-deb'].map((tool) => versionOf(tool)));
    const ok = tools.every((version) => version !== undefined);
    return need(name, ok, `nats-server is not installed: ${ok ? APT_ADVICE : ADVICE}`);
  }
}

async function checkDocker(): Promise<Check> {
  const version = await versionOf('docker');
  return wish(
    'Docker',
    version !== undefined,
    version ?? 'not found; only deploy/compose.yaml needs it',
  );
}

async function checkPrometheus(): Promise<Check> {
  const version = await versionOf('prometheus');
  const detail = version ?? 'not found; only who scrapes /metrics outside containers needs it';
  return wish('Prometheus', version !== undefined, detail);
}
