import type { Command } from 'commander';
import { environmentName, optionName } from './environment.ts';
import { makeProgram, PROGRAM_NAMES, type ProgramName } from './programs.ts';
import { applySettings } from './settings.ts';

/** An option of a program as it would be now, without flags. */
export interface Setting {
  readonly program: ProgramName;
  readonly name: string;
  readonly flags: string;
  readonly variable: string;
  /** `env`, `file` or `default`. */
  readonly source: string;
  /** Undefined where nobody has set it and it has no default. */
  readonly value: unknown;
  readonly description: string;
}

/**
 * Every option of every program, in an environment and under a configuration file. Throws an
 * InvalidArgumentError for what a program would refuse.
 */
export function describeSettings(
  env: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): Setting[] {
  const given = file === undefined ? env : { ...env, SOHU_CONFIG: file };
  return PROGRAM_NAMES.flatMap((program) => {
    const command = makeProgram(program);
    applySettings(command, [program], given);
    return settingsOf(command, program);
  });
}

function settingsOf(command: Command, program: ProgramName): Setting[] {
  // The file itself was given to this process, and not to the program.
  const options = command.options.filter((option) => optionName(option) !== 'config');
  return options.map((option) => {
    const attribute = option.attributeName();
    const value: unknown = command.getOptionValue(attribute);
    return {
      program,
      name: optionName(option),
      flags: option.flags,
      variable: environmentName(option),
      value,
      source: command.getOptionValueSource(attribute) ?? 'default',
      description: option.description,
    };
  });
}
