import type { Command, Option } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { type FiledSettings, readConfigFile } from './config-file.ts';
import { environmentName, isSwitch, optionName } from './environment.ts';
import { makeProgram, type ProgramName } from './programs.ts';
import { isList, permits, schemaOf } from './value-schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The options of one of the processes: flags, then the environment, then a file, then defaults. */
export function parseProgram<Options>(name: ProgramName): Options {
  const command = makeProgram(name).parse();
  try {
    applySettings(command, [name], process.env);
    checkRank(command, name);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    command.error(`error: ${error.message}`);
  }
  return command.opts() as Options;
}

function checkRank(command: Command, name: ProgramName): void {
  if (name !== 'worker' || command.getOptionValue('rank') !== undefined) return;
  throw new InvalidArgumentError('rank must be given, as --rank or SOHU_RANK');
}

/**
 * Fills in what no flag says from the environment, and then from the configuration file's part for
 * these programs.
 * Throws an InvalidArgumentError that names the place of a value that does not do.
 */
export function applySettings(
  command: Command,
  programs: readonly ProgramName[],
  env: Environment,
): void {
  for (const option of command.options) {
    if (command.getOptionValueSource(option.attributeName()) === 'cli') continue;
    set(command, option, 'env', readVariable(option, env));
  }
  const { config } = command.opts<{ config?: string }>();
  if (config === undefined) return;
  const filed = readConfigFile(config, programs);
  for (const option of command.options) {
    const source = command.getOptionValueSource(option.attributeName());
    if (source === 'cli' || source === 'env') continue;
    set(command, option, 'file', readFiled(option, filed));
  }
}

function set(command: Command, option: Option, source: 'env' | 'file', value: unknown): void {
  if (value === undefined) return;
  command.setOptionValueWithSource(option.attributeName(), value, source);
}

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

function readVariable(option: Option, env: Environment): unknown {
  const variable = environmentName(option);
  const text = env[variable];
  if (text === undefined) return undefined;
  const given = isSwitch(option) ? (SWITCH_WORDS.get(text.toLowerCase()) ?? text) : text;
  return parseGiven(option, given, variable);
}

function readFiled(option: Option, { path, settings }: FiledSettings): unknown {
  const name = optionName(option);
  const given = settings.get(name);
  if (given === undefined) return undefined;
  const where = `${path}: "${name}"`;
  const value = parseGiven(option, given, where);
  // "8" would do as a flag, but is no number here.
  if (permits(schemaOf(option), given)) return value;
  throw new InvalidArgumentError(
    `${where} cannot be ${JSON.stringify(given)}: the type is another`,
  );
}

/** A value from elsewhere goes the way of a flag's. */
function parseGiven(option: Option, given: unknown, where: string): unknown {
  try {
    return isSwitch(option) ? parseSwitch(given) : parseValues(option, given);
  } catch (cause) {
    const { message } = cause as Error;
    throw new InvalidArgumentError(`${where} cannot be ${JSON.stringify(given)}. ${message}`, {
      cause,
    });
  }
}

function parseSwitch(given: unknown): boolean {
  if (typeof given === 'boolean') return given;
  throw new Error('It must be true or false.');
}

function parseValues(option: Option, given: unknown): unknown {
  const texts = (Array.isArray(given) && isList(option) ? given : [given]).map(scalarText);
  const parse = (text: string, earlier: unknown): unknown =>
    option.parseArg === undefined ? text : option.parseArg(text, earlier);
  return texts.reduce<unknown>((earlier, text) => parse(text, earlier), undefined);
}

function scalarText(given: unknown): string {
  if (typeof given === 'string' || typeof given === 'number') return String(given);
  throw new Error('It must be a string or a number.');
}
