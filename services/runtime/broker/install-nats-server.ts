import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const PACKAGE = 'nats-server';
const STEP_TIMEOUT_MS = 120_000;
const run = promisify(execFile);

/**
 * Puts the distribution's nats-server at `target`, without root and without touching the system:
 * apt works in a private directory, with package lists of its own because fresh images have none.
 *
 * Several processes may do this at once: each renames a complete, tried program into place.
 */
export async function installNatsServer(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const workspace = await mkdtemp(join(tmpdir(), 'sohu-install-'));
  const staged = `${target}.${randomUUID()}`;
  try {
    await copyFile(await unpackPackage(workspace), staged);
    await chmod(staged, 0o755);
    await runStep(staged, ['--version']);
    await rename(staged, target);
  } finally {
    await rm(staged, { force: true });
    await rm(workspace, { recursive: true, force: true });
  }
}

async function unpackPackage(workspace: string): Promise<string> {
  const config = join(workspace, 'apt.conf');
  await writeFile(config, aptConfig(workspace));
  for (const directory of ['lists/partial', 'archives/partial', 'package']) {
    await mkdir(join(workspace, directory), { recursive: true });
  }
  const downloads = join(workspace, 'package');
  // A source that cannot be reached need not be the one that has the package: the download decides.
  const update = await runStep('apt-get', ['-q', '-c', config, 'update']).catch(asError);
  try {
    await runStep('apt-get', ['-q', '-c', config, 'download', PACKAGE], downloads);
  } catch (error) {
    throw update instanceof Error ? update : error;
  }
  const [archive] = await readdir(downloads);
  const root = join(workspace, 'root');
  await runStep('dpkg-deb', ['-x', join(downloads, archive!), root]);
  return findProgram(root);
}

/** Releases differ in where the package keeps its program. */
async function findProgram(root: string): Promise<string> {
  const files = await readdir(join(root, 'usr'), { recursive: true });
  const program = files.find((file) => /^s?bin\/nats-server$/.test(file));
  if (program === undefined) throw new Error(`the package has no program ${PACKAGE}`);
  return join(root, 'usr', program);
}

// The system's sources and keys stay; what is written goes to the workspace, and the system's hooks
// do not run. As root, apt would download as a user that may not write there.
function aptConfig(workspace: string): string {
  const lines = [
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    `Dir::State::lists ${JSON.stringify(join(workspace, 'lists'))};`,
    `Dir::Cache ${JSON.stringify(workspace)};`,
    `Dir::Cache::archives ${JSON.stringify(join(workspace, 'archives'))};`,
    `Dir::Log ${JSON.stringify(workspace)};`,
    'Debug::NoLocking "true";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
    ...(process.getuid?.() === 0 ? ['APT::Sandbox::User "root";'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Rejects with one sentence: the program and the last thing that it complained about. */
async function runStep(program: string, args: readonly string[], cwd?: string): Promise<void> {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run(program, args, { env, timeout: STEP_TIMEOUT_MS, ...(cwd !== undefined && { cwd }) });
  } catch (error) {
    throw new Error(`${program}: ${complaint(error)}`, { cause: error });
  }
}

function complaint(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  if (code === 'ENOENT') return 'not found';
  const lines = (stderr ?? '').trim().split('\n');
  return lines.findLast((line) => line.startsWith('E: '))?.slice(3) || lines.at(-1) || message;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
