import { parseJson, readWholeFile } from '../../checkpoint/json-file.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { type Fields, isFields } from '../../core/support/fields.ts';
import {
  API_KEY_DIGEST_PREFIX,
  type GatewayOptions,
} from '../../runtime/options/gateway-options.ts';
import { type ApiKey, sha256 } from './api-keys.ts';

/**
 * The keys of the options and of the file that they name:
 * `[{ "name", "key" or "sha256", "requests_per_minute", "tokens_per_minute", "admin" }]`. Throws an
 * InvalidArgumentError that never shows a key.
 */
export function readApiKeys({
  apiKey,
  apiKeyFile,
}: Pick<GatewayOptions, 'apiKey' | 'apiKeyFile'>): ApiKey[] {
  const given = apiKey.map((text, index) => ({
    name: `key-${index + 1}`,
    digest: digestOf(text.slice(API_KEY_DIGEST_PREFIX.length), '--api-key'),
    isAdmin: false,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
  }));
  const keys = [...given, ...(apiKeyFile === undefined ? [] : readFile(apiKeyFile))];
  const names = keys.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated === undefined) return keys;
  throw new InvalidArgumentError(`the names of API keys must differ, but two are ${repeated}`);
}

function readFile(path: string): ApiKey[] {
  const keys = parseFile(path);
  // A file without keys must not open the gateway to everybody.
  if (Array.isArray(keys) && keys.length > 0 && keys.every(isFields)) {
    return keys.map((fields, index) => readKey(fields, `${path}: key ${index + 1}`));
  }
  throw new InvalidArgumentError(`${path} must hold a JSON array of at least one object`);
}

function parseFile(path: string): unknown {
  try {
    return parseJson(readWholeFile(path), path);
  } catch (cause) {
    throw new InvalidArgumentError((cause as Error).message, { cause });
  }
}

function readKey(fields: Fields, where: string): ApiKey {
  const { name, key, sha256: digest, admin = false } = fields;
  if (typeof name !== 'string' || name === '') {
    throw new InvalidArgumentError(`${where} must have a name`);
  }
  if (typeof admin !== 'boolean') {
    throw new InvalidArgumentError(`${where}: admin must be true or false`);
  }
  return {
    name,
    digest: readDigest({ key, digest }, where),
    isAdmin: admin,
    requestsPerMinute: readLimit(fields, 'requests_per_minute', where),
    tokensPerMinute: readLimit(fields, 'tokens_per_minute', where),
  };
}

function readDigest(
  { key, digest }: { readonly key: unknown; readonly digest: unknown },
  where: string,
): Uint8Array {
  if (typeof key === 'string' && key !== '' && digest === undefined) return sha256(key);
  if (typeof digest === 'string' && key === undefined) return digestOf(digest, where);
  throw new InvalidArgumentError(`${where} must have either key or sha256`);
}

function digestOf(hex: string, where: string): Uint8Array {
  if (/^[0-9a-f]{64}$/i.test(hex)) return Buffer.from(hex, 'hex');
  throw new InvalidArgumentError(`${where}: sha256 must be 64 hexadecimal digits`);
}

function readLimit(fields: Fields, name: string, where: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && Number(value) >= 1) return Number(value);
  throw new InvalidArgumentError(`${where}: ${name} must be a whole number from 1`);
}
