import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { type Command, CommanderError } from 'commander';
import { splitWords } from '../../../services/cli/chat/split-words.ts';
import { makeProgram } from '../../../services/cli/program.ts';
import { EXIT_CODES } from '../../../services/cli/terminal/errors.ts';
import { colorsFor } from '../../../services/cli/terminal/format.ts';
import { CLI, makeCliEnvironment, runCli } from '../../support/cli.ts';

/** The program with all its commands, its own first. */
function allCommands(program: Command): Command[] {
  return [program, ...program.commands.flatMap(allCommands)];
}

/** The words after `sohu` that name a command. */
function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

/** The examples of a command, each as the words after `sohu`. */
function examplesOf(command: Command): string[][] {
  const [, block = ''] = /^Examples:\n((?: {2}.+\n)+)/.exec(helpOf(command)) ?? [];
  return block
    .trimEnd()
    .split('\n')
    .map((line) => {
      // A remark stands after at least two spaces, a redirection after a sign, input before a pipe.
      const [shown = ''] = line.trim().split(/ {2,}|;/);
      const command = shown
        .split('|')
        .at(-1)!
        .replace(/>+ \S+$/, '');
      return splitWords(command);
    });
}

/** Parses words as the program does, and does nothing. Throws where they are refused. */
function parseOnly(words: readonly string[]): void {
  const program = makeProgram();
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command !== program) command.action(() => {});
  }
  program.parse(words, { from: 'user' });
}

suite('the help of every command', () => {
  for (const command of allCommands(makeProgram())) {
    const path = pathOf(command);
    const name = ['sohu', ...path].join(' ');

    test(`${name} begins with examples that parse, and tells the exit codes`, () => {
      const examples = examplesOf(command);
      assert.ok(examples.length > 0, 'it has examples');
      for (const [program, ...words] of examples) {
        assert.equal(program, 'sohu');
        assert.doesNotThrow(() => parseOnly(words), `sohu ${words.join(' ')}`);
        assert.deepEqual(words.slice(0, path.length), path);
      }
      const help = helpOf(command);
      assert.match(help, /\nExit codes: /);
      assert.notEqual(command.description() || command.name(), command.name());
    });
  }

  test('an example that does not parse would be found', () => {
    assert.throws(() => parseOnly(['sim', '--chp', 'H100']), CommanderError);
    assert.throws(() => parseOnly(['run', '--tp', '3', 'Hi']), CommanderError);
  });
});

suite('sohu help', () => {
  test('shows what --help shows', async (t) => {
    const env = makeCliEnvironment(t);
    for (const words of [[], ['run']]) {
      const help = await runCli(t, env, ['help', ...words]);
      const flag = await runCli(t, env, [...words, '--help']);
      assert.deepEqual(help, flag);
    }
  });

  test('is no failure where its reader has seen enough', () => {
    // The reader is gone before the program has started.
    const script = '{ "$0" "$1" help sim; echo "exit code $?" >&2; } | true';
    const { stderr } = spawnSync('/bin/sh', ['-c', script, process.execPath, CLI]);
    assert.equal(`${stderr}`, 'exit code 0\n');
  });

  test('exit-codes lists every code', async (t) => {
    const { stdout } = await runCli(t, makeCliEnvironment(t), ['help', 'exit-codes']);
    const listed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
    assert.deepEqual(listed, Object.values(EXIT_CODES));
  });

  test('environment lists the variables', async (t) => {
    const { stdout } = await runCli(t, makeCliEnvironment(t), ['help', 'environment']);
    for (const name of ['SOHU_NATS_SERVER', 'SOHU_API_KEY', 'NO_COLOR', 'FORCE_COLOR']) {
      assert.match(stdout, new RegExp(`^${name} +\\S`, 'm'));
    }
  });
});

suite('colours', () => {
  const isColored = (isTTY: boolean, env: NodeJS.ProcessEnv): boolean =>
    colorsFor({ isTTY }, env).red('x') !== 'x';
  const cases: readonly (readonly [string, boolean, NodeJS.ProcessEnv, boolean])[] = [
    ['a terminal has them', true, {}, true],
    ['a file has none', false, {}, false],
    ['NO_COLOR forbids them', true, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR does not', true, { NO_COLOR: '' }, true],
    ['a dumb terminal has none', true, { TERM: 'dumb' }, false],
    ['FORCE_COLOR asks for them', false, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0 forbids them', true, { FORCE_COLOR: '0' }, false],
    ['NO_COLOR wins', false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ];
  for (const [name, isTTY, env, expected] of cases) {
    test(name, () => assert.equal(isColored(isTTY, env), expected));
  }

  test('of a real command', async (t) => {
    const env = makeCliEnvironment(t);
    const plain = await runCli(t, env, ['chips']);
    const forced = await runCli(t, { ...env, FORCE_COLOR: '1' }, ['chips']);
    assert.ok(!plain.stdout.includes('\u001b['));
    assert.ok(forced.stdout.includes('\u001b[1m'));
  });
});
