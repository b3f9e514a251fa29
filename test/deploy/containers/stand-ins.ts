import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { copyFile, cp, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packagePath } from '../../../services/runtime/package-info.ts';
import type { Engine } from './engine.ts';

/** Certificates by which this machine's programs trust others. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const NPM = 'usr/lib/node_modules/npm';

/**
 * Makes images under the names and tags of the public ones that deploy/ builds on, from Debian's packages and this
 * machine's Node: no registry of images is asked. They start what the public ones start.
 */
export async function makeStandIns(engine: Engine): Promise<void> {
  const root = join(engine.directory, 'root');
  const archive = join(engine.directory, 'root.tar');
  const [, release] = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))!;
  await engine.run('debootstrap', ['--variant=minbase', '--include=busybox', release!, root]);
  await addNode(root);
  await engine.run('tar', ['-C', root, '--exclude=./var/cache', '-cf', archive, '.']);
  const node = imageOf('deploy/Dockerfile', /^FROM (node:\S+)/m);
  await engine.docker('import', '-c', `ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, archive, node);
  const compose = 'deploy/compose.yaml';
  const servers = [
    [imageOf(compose, /image: (nats:\S+)/), '/usr/sbin/nats-server'],
    [imageOf(compose, /image: (prom\/prometheus:\S+)/), '/usr/bin/prometheus'],
  ] as const;
  for (const [image, program] of servers) await addServer(engine, { node, image, program });
}

/** The name and tag that a file of deploy/ has for an image. */
function imageOf(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(packagePath(file), 'utf8'))![1]!;
}

/** Node and npm as this machine has them, and the BusyBox that health checks use. */
async function addNode(root: string): Promise<void> {
  await copyFile(process.execPath, join(root, 'usr/bin/node'));
  const npm = join(dirname(realpathSync(process.execPath)), '..', 'lib/node_modules/npm');
  mkdirSync(join(root, dirname(NPM)), { recursive: true });
  await cp(npm, join(root, NPM), { recursive: true });
  await symlink(`/${NPM}/bin/npm-cli.js`, join(root, 'usr/bin/npm'));
  await symlink('busybox', join(root, 'bin/wget'));
  mkdirSync(join(root, dirname(CERTIFICATES)), { recursive: true });
  if (existsSync(CERTIFICATES)) await copyFile(CERTIFICATES, join(root, CERTIFICATES));
}

/** A server of Debian's, which needs the C library alone, on the same base. */
async function addServer(
  engine: Engine,
  { node, image, program }: { readonly [name in 'node' | 'image' | 'program']: string },
): Promise<void> {
  const context = join(engine.directory, image.replaceAll(/\W/g, '-'));
  mkdirSync(join(context, 'data'), { recursive: true });
  await copyFile(program, join(context, 'server'));
  const lines = [
    `FROM ${node}`,
    'COPY server /bin/server',
    // A new volume takes its owner from there; that of Prometheus is called so.
    'COPY --chown=65534:65534 data /prometheus',
    'ENTRYPOINT ["/bin/server"]',
  ];
  writeFileSync(join(context, 'Dockerfile'), `${lines.join('\n')}\n`);
  await engine.docker('build', '-q', '-t', image, context);
}
