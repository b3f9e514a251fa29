import { join } from 'node:path';
import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import { isToken } from '../../rpc/subjects.ts';
import {
  AUTHORIZATION_FILE,
  type ClusterMembers,
  createClusterKeys,
  oneSeatEach,
  writeClusterKeys,
} from '../../runtime/broker/cluster-keys.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';
import { addApiKey } from './add-api-key.ts';

interface KeysOptions {
  readonly cluster: string;
  readonly group: readonly string[];
  readonly chips: number;
  readonly client: readonly string[];
  readonly owner: number | undefined;
}

interface ApiKeyOptions {
  readonly name: string;
  readonly owner: number | undefined;
}

const INIT_EXAMPLES = `  sohu keys init keys
  sohu keys init keys --group 0 --group 1 --chips 8 --client alice --client bob
  sohu keys init deploy/keys --owner 10001
`;
const API_EXAMPLES = `  sohu keys api api-keys.json --name alice
`;

/** Adds `sohu keys`: those that a broker knows its members by, and those of the gateway's users. */
export function addKeysCommand(program: Command): void {
  const keys = program
    .command('keys')
    .description('Make keys for a broker and for a gateway.')
    .addHelpText('before', `Examples:\n${INIT_EXAMPLES}${API_EXAMPLES}`);
  keys
    .command('init <directory>')
    .description('Write a new key for every member, and what the broker must know of them.')
    .option('--cluster <name>', 'name of the cluster', name, 'sohu')
    .option('--group <name>', 'a tensor-parallel group (default: 0); may be repeated', groups, [])
    .option('--chips <count>', 'seats of each group, spares included', wholeNumber(1), 8)
    .option('--client <name>', 'a user of the SDK (default: default); may be repeated', names, [])
    .option('--owner <uid>', 'whom the files belong to; needs root', wholeNumber(0))
    .addHelpText('before', `Examples:\n${INIT_EXAMPLES}`)
    .action(initialize);
  keys
    .command('api <file>')
    .description('Add a key to a gateway’s file, which keeps its digest, and print it.')
    .option('--name <name>', 'whose it is', name, 'default')
    .option('--owner <uid>', 'whom the file belongs to; needs root', wholeNumber(0))
    .addHelpText('before', `Examples:\n${API_EXAMPLES}`)
    .action((file: string, options: ApiKeyOptions) => {
      process.stdout.write(`${addApiKey(file, options)}\n`);
    });
}

function initialize(directory: string, options: KeysOptions): void {
  const members: ClusterMembers = {
    cluster: options.cluster,
    groups: orDefault(options.group, '0'),
    chips: oneSeatEach(options.chips),
    clients: orDefault(options.client, 'default'),
  };
  const keys = createClusterKeys(members);
  writeClusterKeys(directory, keys, options.owner);
  process.stdout.write(
    `${join(directory, AUTHORIZATION_FILE)}: include it in the broker’s configuration.\n` +
      `${join(directory, '*.nk')}: ${keys.seeds.size} seeds, each for one process as --nats-nkey-file.\n`,
  );
}

function orDefault(given: readonly string[], fallback: string): readonly string[] {
  return given.length > 0 ? [...new Set(given)] : [fallback];
}

function groups(text: string, earlier: readonly string[]): string[] {
  // Its subjects would be those of the API, which clients reach.
  if (text === 'api') throw new InvalidOptionError('A group cannot be called api.');
  return names(text, earlier);
}

function names(text: string, earlier: readonly string[]): string[] {
  return [...earlier, name(text)];
}

function name(text: string): string {
  if (isToken(text)) return text;
  throw new InvalidOptionError('It must be 1 to 64 letters, digits, "-" or "_".');
}
