import assert from 'node:assert/strict';
import { environmentName } from '../../services/runtime/options/environment.ts';
import { makeProgram, type ProgramName } from '../../services/runtime/options/programs.ts';
import { applySettings } from '../../services/runtime/options/settings.ts';

type Environment = Readonly<Record<string, string>>;

/** The program of this repository that a container starts; undefined where it starts another. */
export function programOf(command: readonly string[]): ProgramName | undefined {
  const main = /^dist\/services\/(\w+)\/main\.js$/;
  return command.map((part) => main.exec(part)?.[1]).find(Boolean) as ProgramName | undefined;
}

/** The options of a program as a container starts it: all that it is given, it must know. */
export function processOptions<Options>(
  program: ProgramName,
  command: readonly string[],
  environment: Environment,
): Options {
  const main = command.indexOf(`dist/services/${program}/main.js`);
  assert.ok(main >= 0, `${program} in ${command}`);
  const parsed = makeProgram(program)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  parsed.parse(command.slice(main + 1), { from: 'user' });
  applySettings(parsed, [program], environment);
  return parsed.opts() as Options;
}

/** The variables that are meant for options of a program, and are none. */
export function unknownVariables(program: ProgramName, names: readonly string[]): string[] {
  const known = makeProgram(program).options.map(environmentName);
  return names.filter((name) => name.startsWith('SOHU_') && !known.includes(name));
}
