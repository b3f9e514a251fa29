import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { portNumber, wholeNumber, withSchema } from './option-values.ts';

/** Where a gateway listens, whom it lets in, and what a request may take. */
export interface GatewayOptions {
  readonly host: string;
  /** 0 is a free one. */
  readonly port: number;
  /** Digests, each behind `API_KEY_DIGEST_PREFIX`. */
  readonly apiKey: readonly string[];
  readonly apiKeyFile: string | undefined;
  readonly allowAnonymous: true | undefined;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  readonly servedModelName: string | undefined;
  readonly maxBodyBytes: number;
  /** Seconds that a reader may hold back its stream. */
  readonly slowReaderTimeout: number;
}

/** Stands before a key's SHA-256 where the key itself could stand. */
export const API_KEY_DIGEST_PREFIX = 'sha256:';

/** Keys are kept as digests from here on, so that no list of processes shows them. */
const collectKey = withSchema(
  { type: 'array', items: { type: 'string' } },
  (text: string, earlier: readonly string[] = []): string[] => {
    const isDigest = /^sha256:[0-9a-f]{64}$/i.test(text);
    const digest = createHash('sha256').update(text).digest('hex');
    return [...earlier, isDigest ? text : `${API_KEY_DIGEST_PREFIX}${digest}`];
  },
);

/** Adds the options of a gateway to a command, with their defaults. */
export function addGatewayOptions(command: Command): Command {
  return addAccessOptions(
    command
      .option('--host <address>', 'where HTTP is served', '127.0.0.1')
      .option('--port <number>', 'port of HTTP (0: a free one)', portNumber, 8000),
  )
    .option('--served-model-name <name>', 'name for clients (default: the model’s directory)')
    .option('--max-body-bytes <count>', 'largest request', wholeNumber(1), 4 * 2 ** 20)
    .option('--slow-reader-timeout <seconds>', 'longest pause of a reader', wholeNumber(1), 30);
}

function addAccessOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--api-key <key>', 'lets clients in that send it, or sha256:<its digest>')
        .argParser(collectKey)
        .default([]),
    )
    .option('--api-key-file <file>', 'JSON array of keys with names and limits', (path) =>
      resolve(path),
    )
    .option('--allow-anonymous', 'serve other machines without keys')
    .option('--requests-per-minute <count>', 'for each key', wholeNumber(1))
    .option('--tokens-per-minute <count>', 'prompt and output, for each key', wholeNumber(1));
}

/** The flags that make the gateway's own program serve in the same way; no key is among them. */
export function gatewayArguments(options: GatewayOptions): string[] {
  const flags: readonly (readonly [string, string | number | undefined])[] = [
    ['--host', options.host],
    ['--port', options.port],
    ...options.apiKey.map((digest) => ['--api-key', digest] as const),
    ['--api-key-file', options.apiKeyFile],
    ['--requests-per-minute', options.requestsPerMinute],
    ['--tokens-per-minute', options.tokensPerMinute],
    ['--served-model-name', options.servedModelName],
    ['--max-body-bytes', options.maxBodyBytes],
    ['--slow-reader-timeout', options.slowReaderTimeout],
  ];
  const given = flags.filter(([, value]) => value !== undefined);
  return [
    ...given.flatMap(([flag, value]) => [flag, String(value)]),
    ...(options.allowAnonymous ? ['--allow-anonymous'] : []),
  ];
}

/** Refuses, with an InvalidArgumentError, to serve other machines without keys unless told. */
export function checkExposure(options: GatewayOptions): void {
  const hasKeys = options.apiKey.length > 0 || options.apiKeyFile !== undefined;
  if (hasKeys || options.allowAnonymous || isLoopback(options.host)) return;
  throw new InvalidArgumentError(
    `host must be a loopback address where there are no API keys, not ${options.host}: give --api-key or --api-key-file, or --allow-anonymous`,
  );
}

/** Whether only this machine reaches an address. */
export function isLoopback(address: string): boolean {
  return /^(?:localhost|::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/.test(address);
}
