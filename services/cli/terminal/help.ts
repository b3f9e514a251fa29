import type { Command } from 'commander';
import { findNamed } from '../../core/support/nearest.ts';
import { EXIT_CODE_MEANINGS } from './errors.ts';

interface Topic {
  readonly name: string;
  readonly text: string;
}

const EXAMPLES = `Examples:
  sohu help run
  sohu help exit-codes
  sohu help environment
`;

const VARIABLES: Readonly<Record<string, string>> = {
  SOHU_NATS_SERVER: 'the broker’s program, where --nats-server is not given',
  SOHU_API_KEY: 'a key that lets clients of the gateway in, as --api-key',
  XDG_STATE_HOME:
    'where records of clusters, their logs and the chat’s history are (~/.local/state)',
  XDG_CACHE_HOME: 'where a broker is installed that the machine lacks (~/.cache)',
  NO_COLOR: 'any value: no colours',
  FORCE_COLOR: 'any value but 0: colours also where the output is no terminal',
};

const TOPICS: readonly Topic[] = [
  { name: 'exit-codes', text: listOf(EXIT_CODE_MEANINGS) },
  { name: 'environment', text: listOf(VARIABLES) },
];

/** Adds `sohu help`, which shows the help of a command or of a topic. */
export function addHelpCommand(program: Command): void {
  program
    .helpCommand(false)
    .command('help')
    .description(`Show the help of a command, or of: ${TOPICS.map(({ name }) => name).join(', ')}.`)
    .argument('[command]', 'a command or a topic')
    .addHelpText('before', EXAMPLES)
    .action((wanted: string | undefined) => help(program, wanted));
}

function help(program: Command, wanted: string | undefined): void {
  if (wanted === undefined) {
    program.outputHelp();
    return;
  }
  const found = findNamed(choicesOf(program), wanted, {
    field: 'command',
    namesOf: ({ name }) => [name],
  });
  if ('text' in found) process.stdout.write(`${found.text}\n`);
  else found.command.outputHelp();
}

/** What `sohu help` takes. */
export function helpSubjects(program: Command): string[] {
  return choicesOf(program).map(({ name }) => name);
}

function choicesOf(
  program: Command,
): readonly (Topic | { readonly name: string; readonly command: Command })[] {
  const commands = program.createHelp().visibleCommands(program);
  return [...commands.map((command) => ({ name: command.name(), command })), ...TOPICS];
}

function listOf(meanings: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(meanings).map((name) => name.length));
  return Object.entries(meanings)
    .map(([name, meaning]) => `${name.padEnd(width)}  ${meaning}`)
    .join('\n');
}
