import type { Command, Option } from 'commander';

/** The variable that sets an option: `--max-num-seqs` is `SOHU_MAX_NUM_SEQS`. */
export function environmentName(option: Option): string {
  return `SOHU_${optionName(option).replaceAll('-', '_').toUpperCase()}`;
}

/** What a file calls an option: its flag without dashes, and without the `no-` of one that denies. */
export function optionName(option: Option): string {
  return option.long!.replace(/^--(?:no-)?/, '');
}

/** Whether an option is a flag without a value. */
export function isSwitch(option: Option): boolean {
  return !option.required && !option.optional;
}

/**
 * Gives every option of a command its variable, which its help shows and `applySettings` reads.
 * Commander itself would take the presence of a switch's variable for the switch.
 */
export function withEnvironment(command: Command): Command {
  for (const option of command.options) option.env(environmentName(option));
  return command;
}
