import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readApiKeys } from '../../gateway/access/read-api-keys.ts';

const SECRET_BYTES = 24;

/**
 * Draws a key for the gateway, and adds its digest to a file that its owner alone may read; the key
 * itself is kept nowhere. Throws an InvalidArgumentError where the gateway would refuse the file.
 */
export function addApiKey(
  file: string,
  { name, owner }: { readonly name: string; readonly owner: number | undefined },
): string {
  const key = `sk-sohu-${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const sha256 = createHash('sha256').update(key).digest('hex');
  const earlier: unknown[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const staged = `${file}.new`;
  try {
    const text = `${JSON.stringify([...earlier, { name, sha256 }], null, 2)}\n`;
    writeFileSync(staged, text, { mode: 0o600 });
    readApiKeys({ apiKey: [], apiKeyFile: staged });
    if (owner !== undefined) chownSync(staged, owner, owner);
    renameSync(staged, file);
  } finally {
    rmSync(staged, { force: true });
  }
  return key;
}
