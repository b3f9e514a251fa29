import { InvalidArgumentError } from '../../core/support/errors.ts';
import { findNamed } from '../../core/support/nearest.ts';
import { type ChatParameters, parameterNames } from './chat-parameters.ts';
import type { ChatSession } from './chat-session.ts';
import { splitWords } from './split-words.ts';

/** What a line that begins with a slash may change. */
export interface ChatState {
  readonly session: ChatSession;
  readonly parameters: ChatParameters;
  verbose: boolean;
  /** What device time is. */
  readonly clock: string;
  /** About the model and its cluster. */
  readonly about: string;
}

interface ChatCommand {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  /** Gives the lines to show. */
  readonly run: (state: ChatState, words: readonly string[], rest: string) => readonly string[];
}

const SUBJECTS = ['parameters', 'system', 'messages', 'model'] as const;

const COMMANDS: readonly ChatCommand[] = [
  {
    name: '/set',
    usage: '/set <parameter> <value>',
    meaning: 'such as /set temperature 0.5; the value `default` sets it back',
    run: set,
  },
  {
    name: '/set system',
    usage: '/set system <text>',
    meaning: 'what the system says before the conversation',
    run: set,
  },
  {
    name: '/set verbose',
    usage: '/set verbose | quiet',
    meaning: 'timings of every answer',
    run: set,
  },
  { name: '/show', usage: `/show [${SUBJECTS.join(' | ')}]`, meaning: 'what is set', run: show },
  { name: '/clear', usage: '/clear', meaning: 'forget the conversation', run: clear },
  { name: '/help', usage: '/help, /?', meaning: 'this list', run: () => help() },
  { name: '/bye', usage: '/bye, Ctrl-D', meaning: 'end; Ctrl-C stops an answer', run: () => [] },
];
const ALIASES: Readonly<Record<string, string>> = { '/?': '/help', '/exit': '/bye' };
/** Ollama's users write `/set parameter seed 7`. */
const FILLER = 'parameter';

/** What the Tab key offers. */
export const COMPLETIONS: readonly string[] = [
  ...COMMANDS.map(({ name }) => name),
  ...parameterNames().map((name) => `/set ${name} `),
  ...SUBJECTS.map((subject) => `/show ${subject}`),
];

export function isCommand(prompt: string): boolean {
  return prompt.startsWith('/') && !prompt.includes('\n');
}

/**
 * Runs a line that begins with a slash; gives what to show, or undefined where the chat ends.
 * Throws an InvalidArgumentError that names the valid choices.
 */
export function runCommand(line: string, state: ChatState): readonly string[] | undefined {
  const [first = '', ...words] = splitWords(line);
  const command = findNamed(COMMANDS, ALIASES[first] ?? first, {
    field: 'command',
    namesOf: ({ name }) => [name],
  });
  if (command.name === '/bye') return undefined;
  return command.run(state, words, line.trim().slice(first.length).trim());
}

function set(state: ChatState, words: readonly string[], rest: string): readonly string[] {
  const [name, ...values] = words[0] === FILLER ? words.slice(1) : words;
  if (name === undefined) {
    throw new InvalidArgumentError(
      `/set needs a name: ${['system', 'verbose', 'quiet', ...parameterNames()].join(', ')}`,
    );
  }
  if (name === 'verbose' || name === 'quiet') state.verbose = name === 'verbose';
  else if (name === 'system')
    state.session.system = values.length === 1 ? values[0]! : rest.replace(/^system\s*/, '');
  else state.parameters.set(name, values);
  return [];
}

function show(state: ChatState, words: readonly string[]): readonly string[] {
  const [wanted = 'parameters'] = words;
  const subject = findNamed(SUBJECTS, wanted, { field: '/show', namesOf: (it) => [it] });
  const { session, parameters, about } = state;
  switch (subject) {
    case 'model':
      return [about];
    case 'system':
      return [session.system === '' ? 'The system says nothing.' : session.system];
    case 'messages':
      return session.messages.map(({ role, content }) => `${role}: ${content}`);
    case 'parameters':
      return columns(parameters.list().map(({ name, value, meaning }) => [name, value, meaning]));
  }
}

function clear({ session }: ChatState): readonly string[] {
  session.clear();
  return ['The conversation is forgotten.'];
}

function help(): readonly string[] {
  return [
    ...columns(COMMANDS.map(({ usage, meaning }) => [usage, meaning])),
    'A message of several lines stands between """ and """, or each line but the last ends with \\.',
  ];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
