import { readFileSync } from 'node:fs';
import { closest } from 'fastest-levenshtein';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { type Fields, isFields } from '../../core/support/fields.ts';
import { optionName } from './environment.ts';
import { makeProgram, PROGRAM_NAMES, type ProgramName } from './programs.ts';

/** What an editor finds the schema by; it means nothing to the programs. */
export const SCHEMA_FIELD = '$schema';

/** Options in a file that are never those of a whole cluster. */
export const UNFILED_OPTIONS: readonly string[] = ['config', 'rank'];

/** The names of the options that a program takes from a file. */
export function filedOptions(program: ProgramName): string[] {
  return makeProgram(program)
    .options.map(optionName)
    .filter((name) => !UNFILED_OPTIONS.includes(name));
}

/** The part of a configuration file that is for some programs. */
export interface FiledSettings {
  readonly path: string;
  readonly settings: ReadonlyMap<string, unknown>;
}

/**
 * Reads a configuration file: options by their names for all programs that have them, and a section
 * for one program alone, which comes first. Throws an InvalidArgumentError, in one sentence, for what no
 * program takes.
 */
export function readConfigFile(path: string, programs: readonly ProgramName[]): FiledSettings {
  const fields = parseFile(path);
  checkNames(path, fields);
  const names = programs.flatMap(filedOptions);
  const shared = Object.entries(fields).filter(([name]) => names.includes(name));
  const own = programs.flatMap((program) => Object.entries(fields[program] ?? {}));
  return { path, settings: new Map([...shared, ...own]) };
}

function parseFile(path: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new InvalidArgumentError(`${path} could not be read: ${code ?? message}`, { cause });
  }
  if (isFields(value)) return value;
  throw new InvalidArgumentError(`${path} must hold a JSON object`);
}

function checkNames(path: string, fields: Fields): void {
  const all = [...new Set(PROGRAM_NAMES.flatMap(filedOptions))];
  const top = [...all, ...PROGRAM_NAMES, SCHEMA_FIELD];
  for (const [name, value] of Object.entries(fields)) {
    if (!top.includes(name)) throw unknownName(path, name, top);
    const program = PROGRAM_NAMES.find((each) => each === name);
    if (program !== undefined) checkSection(`${path}: ${program}`, value, filedOptions(program));
  }
}

function checkSection(where: string, section: unknown, names: readonly string[]): void {
  if (!isFields(section)) throw new InvalidArgumentError(`${where} must be a JSON object`);
  const unknown = Object.keys(section).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownName(where, unknown, names);
}

function unknownName(where: string, name: string, names: readonly string[]): InvalidArgumentError {
  const advice = `did you mean "${closest(name, names)}"?`;
  return new InvalidArgumentError(`${where}: "${name}" is no option; ${advice}`);
}
