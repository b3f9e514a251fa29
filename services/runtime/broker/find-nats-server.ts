import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { BrokerUnavailableError } from './broker-unavailable-error.ts';
import { installNatsServer } from './install-nats-server.ts';

export interface FindNatsServerOptions {
  /** A path that the user chose; nothing else is tried. */
  readonly binary?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Where to look after the PATH; distributions install servers outside an ordinary user's PATH.
   */
  readonly systemDirectories?: readonly string[];
  /** Hears, in a sentence, of an installation that is about to take a few seconds. */
  readonly report?: (sentence: string) => void;
}

const PROGRAM = 'nats-server';
const BINARY_VARIABLE = 'SOHU_NATS_SERVER';
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin'];

/**
 * Finds a nats-server: the chosen path, `SOHU_NATS_SERVER`, the PATH, our cache; else it installs
 * the distribution's package into the cache.
 */
export async function findNatsServer(options: FindNatsServerOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const chosen = options.binary ?? env[BINARY_VARIABLE];
  if (chosen) return requireExecutable(chosen);
  const searched = [
    ...(env.PATH ?? '').split(delimiter).filter((directory) => directory !== ''),
    ...(options.systemDirectories ?? SYSTEM_DIRECTORIES),
    cacheDirectory(env),
  ];
  for (const directory of searched) {
    const candidate = join(directory, PROGRAM);
    if (await isExecutable(candidate)) return candidate;
  }
  return install(cacheDirectory(env), options.report);
}

async function install(directory: string, report?: (sentence: string) => void): Promise<string> {
  const target = join(directory, PROGRAM);
  report?.(`Installing ${PROGRAM} from the distribution's packages to ${target}.`);
  try {
    await installNatsServer(target);
    return target;
  } catch (error) {
    throw new BrokerUnavailableError(
      adviceAfter(error instanceof Error ? error.message : `${error}`),
      {
        cause: error,
      },
    );
  }
}

async function requireExecutable(path: string): Promise<string> {
  if (await isExecutable(path)) return path;
  throw new BrokerUnavailableError(
    `the broker ${path} is not an executable file: correct the option or ${BINARY_VARIABLE}`,
  );
}

function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const root = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return join(root, 'sohu', PROGRAM);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function adviceAfter(reason: string): string {
  return (
    `${PROGRAM} is not on the PATH and could not be installed (${reason}): run \`apt-get install ${PROGRAM}\` ` +
    `(Debian, Ubuntu) or \`brew install ${PROGRAM}\` (macOS), or take the program from the image nats:2 or from ` +
    `https://nats.io/download/ and set ${BINARY_VARIABLE} to its path`
  );
}
