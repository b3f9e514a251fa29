import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the programs keep what they know of one another, one folder for each user. */
export function stateDirectory(env: Environment = process.env): string {
  const root = env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state');
  return join(root, 'sohu');
}
