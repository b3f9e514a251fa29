import type { Argument, Command, Option } from 'commander';

/** What may stand at the end of a command line. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What may be said of a place whose values only the program knows. */
export interface PlaceValues {
  readonly values: readonly string[];
  /** Whether a file may stand there too. */
  readonly files: boolean;
}

/** Knows the values of options and arguments that have no fixed choices. */
export type ValuesOf = (command: Command, place: Option | Argument) => PlaceValues;

export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

const NOTHING: Completion = { candidates: [], files: false };

/**
 * What may replace the last of the words after the program's name, from the tree of its commands.
 * Bash gives `--name=value` as three words.
 */
export function completeWords(
  program: Command,
  words: readonly string[],
  valuesOf: ValuesOf,
): Completion {
  const earlier = words.slice(0, -1).filter((word) => word !== '=');
  const typed = words.at(-1) ?? '';
  const current = typed === '=' ? '' : typed;
  const { command, positionals, pending } = walk(program, earlier);
  if (pending !== undefined) return offer(valuesAt(command, pending, valuesOf), current);
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (name !== undefined) {
    const option = findOption(command, name);
    const values = option && valuesAt(command, option, valuesOf);
    return values ? offer(values, value!, `${name}=`) : NOTHING;
  }
  if (current.startsWith('-')) return startingWith(flagsOf(command), current);
  if (command.commands.length > 0) return startingWith(commandsOf(command), current);
  const place = argumentAt(command, positionals);
  return place === undefined ? NOTHING : offer(valuesAt(command, place, valuesOf), current);
}

/** The command that the words lead to, and the option among them that still needs its value. */
function walk(program: Command, words: readonly string[]) {
  let command = program;
  let positionals = 0;
  let pending: Option | undefined;
  for (const word of words) {
    const option: Option | undefined = word.startsWith('-') ? findOption(command, word) : undefined;
    if (option !== undefined)
      pending = takesValue(option) && !word.includes('=') ? option : undefined;
    else if (pending !== undefined) pending = pending.variadic ? pending : undefined;
    else {
      const next = command.commands.find((candidate) => candidate.name() === word);
      if (next !== undefined) command = next;
      else if (!word.startsWith('-')) positionals++;
    }
  }
  return { command, positionals, pending };
}

function findOption(command: Command, word: string): Option | undefined {
  const [flag] = word.split('=', 1);
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function argumentAt(command: Command, position: number): Argument | undefined {
  const all = command.registeredArguments;
  return all[position] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
}

function valuesAt(command: Command, place: Option | Argument, valuesOf: ValuesOf): PlaceValues {
  const { argChoices } = place;
  return argChoices === undefined ? valuesOf(command, place) : { values: argChoices, files: false };
}

function offer({ values, files }: PlaceValues, current: string, before = ''): Completion {
  const fitting = values.filter((value) => value.startsWith(current));
  return {
    candidates: fitting.map((value) => ({ value: before + value, description: '' })),
    files,
  };
}

function startingWith(candidates: readonly Candidate[], current: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(current)), files: false };
}

function flagsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ short, long, description }) =>
      [long, short].flatMap((value) => (value === undefined ? [] : [{ value, description }])),
    );
}

function commandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((next) => ({ value: next.name(), description: next.summary() || next.description() }));
}
