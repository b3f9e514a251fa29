import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findNatsServer } from '../../services/runtime/broker/find-nats-server.ts';
import { startBroker } from '../../services/runtime/broker/nats-server.ts';
import { requireOrSkip } from '../support/requirements.ts';
import { makeProgram, makeTemporaryDirectory } from './fixtures/programs.ts';

const run = promisify(execFile);
const installEntry = fileURLToPath(new URL('./fixtures/install-main.js', import.meta.url));
const NOBODY = 65_534;

async function makeProgramAt(t: TestContext, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await cp(await makeProgram(t, ['exit 0']), path);
  return path;
}

interface InstallingProcess {
  readonly cacheRoot: string;
  readonly path?: string;
  readonly uid?: number;
}

/** What a process prints that finds no nats-server in its environment. */
async function findInFreshProcess({ cacheRoot, path, uid }: InstallingProcess): Promise<string> {
  const env = { PATH: path ?? '/usr/bin:/bin', HOME: cacheRoot, XDG_CACHE_HOME: cacheRoot };
  const options = { env, cwd: '/', ...(uid !== undefined && { uid, gid: uid }) };
  const { stdout } = await run(process.execPath, [installEntry], options);
  return stdout.trimEnd();
}

async function canInstall(t: TestContext, found: string): Promise<boolean> {
  const failure = found.startsWith('BrokerUnavailableError');
  return requireOrSkip(t, !failure, `the distribution's packages cannot be had: ${found}`);
}

suite('findNatsServer', () => {
  test('takes the option before the variable before the PATH before the cache', async (t) => {
    const root = await makeTemporaryDirectory(t);
    const [option, variable, onPath, inSystem, cached] = await Promise.all(
      [
        'option',
        'variable',
        'path/nats-server',
        'sbin/nats-server',
        'sohu/nats-server/nats-server',
      ].map((name) => makeProgramAt(t, join(root, name))),
    );
    const env = { XDG_CACHE_HOME: root, PATH: `/nonexistent:${join(root, 'path')}` };
    const systemDirectories = [join(root, 'sbin')];
    const chosen = { ...env, SOHU_NATS_SERVER: variable };
    assert.equal(await findNatsServer({ binary: option!, env: chosen }), option);
    assert.equal(await findNatsServer({ env: chosen }), variable);
    assert.equal(await findNatsServer({ env, systemDirectories }), onPath);
    assert.equal(await findNatsServer({ env: { ...env, PATH: '' }, systemDirectories }), inSystem);
    const nowhere = { XDG_CACHE_HOME: root, PATH: '/nonexistent' };
    assert.equal(await findNatsServer({ env: nowhere, systemDirectories: [] }), cached);
  });

  test('does not look further than a path that was chosen', async () => {
    await assert.rejects(findNatsServer({ env: { SOHU_NATS_SERVER: '/nonexistent/x' } }), {
      name: 'BrokerUnavailableError',
      message:
        'the broker /nonexistent/x is not an executable file: correct the option or SOHU_NATS_SERVER',
    });
  });

  test('says what to install where there is no apt', async (t) => {
    const cacheRoot = await makeTemporaryDirectory(t);
    const path = await makeTemporaryDirectory(t);
    const printed = await findInFreshProcess({ cacheRoot, path });
    assert.equal(
      printed,
      'BrokerUnavailableError: nats-server is not on the PATH and could not be installed ' +
        '(apt-get: not found): run `apt-get install nats-server` (Debian, Ubuntu) or ' +
        '`brew install nats-server` (macOS), or take the program from the image nats:2 or from ' +
        'https://nats.io/download/ and set SOHU_NATS_SERVER to its path',
    );
    assert.deepEqual(await readdir(join(cacheRoot, 'sohu', 'nats-server')), []);
  });

  test('installs the package into an empty cache, once for two processes', async (t) => {
    const cacheRoot = await makeTemporaryDirectory(t);
    const found = await Promise.all([
      findInFreshProcess({ cacheRoot }),
      findInFreshProcess({ cacheRoot }),
    ]);
    if (!(await canInstall(t, found[0]))) return;
    const binary = join(cacheRoot, 'sohu', 'nats-server', 'nats-server');
    assert.deepEqual(found, [binary, binary]);
    assert.deepEqual(await readdir(dirname(binary)), ['nats-server']);
    const broker = await startBroker({ binary });
    await broker.stop();
    assert.equal(await findInFreshProcess({ cacheRoot, path: '/nonexistent' }), binary);
  });

  test('installs the package as an ordinary user', async (t) => {
    if (process.getuid?.() !== 0) return; // Then the test above did.
    const cacheRoot = await makeTemporaryDirectory(t);
    await chmod(cacheRoot, 0o777);
    const found = await findInFreshProcess({ cacheRoot, uid: NOBODY });
    if (!(await canInstall(t, found))) return;
    await access(join(cacheRoot, 'sohu', 'nats-server', 'nats-server'));
  });
});
