import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { makeProgram } from '../../../services/cli/program.ts';
import { CLI, type CliEnvironment, makeCliEnvironment, runCli } from '../../support/cli.ts';
import { requireOrSkip } from '../../support/requirements.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';

async function candidates(t: TestContext, ...words: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runCli(t, makeCliEnvironment(t), [
    'complete',
    '--',
    ...words,
  ]);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t')[0]!);
}

/** An environment in which `sohu` is on the PATH, as after an installation. */
function makeShellEnvironment(t: TestContext): CliEnvironment {
  const env = makeCliEnvironment(t);
  const folder = makeTemporaryDirectory(t);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'sohu');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
  chmodSync(program, 0o755);
  return { ...env, PATH: `${folder}${delimiter}${env.PATH}`, TERM: 'dumb' };
}

function hasShell(t: TestContext, shell: string): boolean {
  return requireOrSkip(t, spawnSync(shell, ['--version']).status === 0, `the shell ${shell}`);
}

function runShell(env: CliEnvironment, shell: string, script: string): string[] {
  const flags = shell === 'zsh' ? ['-f'] : shell === 'bash' ? ['--norc'] : ['--no-config'];
  const output = execFileSync(shell, [...flags, '-c', script], { env, cwd: env.HOME });
  return `${output}`.trim().split('\n');
}

suite('what completes a command line', () => {
  test('commands, without the hidden one', async (t) => {
    const visible = makeProgram().commands.map((command) => command.name());
    assert.deepEqual(
      await candidates(t, ''),
      visible.filter((name) => name !== 'complete'),
    );
    assert.deepEqual(await candidates(t, 'do'), ['down', 'doctor']);
  });

  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      ['sim', '--trace-'],
      ['--trace-file', '--trace-out', '--trace-steps'],
    ],
    [
      ['run', '--precision', ''],
      ['f32', 'bf16', 'fp8'],
    ],
    [['run', '--precision=b'], ['--precision=bf16']],
    [['run', '--precision', '=', 'b'], ['bf16']],
    [
      ['up', '--scheduling-policy', 'f'],
      ['fcfs', 'fair'],
    ],
    [['price', '--chip', 'MI'], ['MI300X']],
    [['compare', '--chip', 'H100', '--chip', 'H2'], ['H200']],
    [
      ['price', '--model', 'llama-3-'],
      ['llama-3-70b', 'llama-3-8b', ':files'],
    ],
    [
      ['run', '--model', 'tiny'],
      ['tinystories-5m', ':files'],
    ],
    [['price', '--software', 'vllm'], ['vllm-0.11']],
    [['chips', 'H1'], ['H100']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['help', 'e'],
      ['exit-codes', 'environment'],
    ],
    [['sim', '--trace-file', ''], [':files']],
    [['sim', '--html', ''], [':files']],
    [
      ['scenario', 'video'],
      ['video-qa', 'video-generation'],
    ],
    [['sim', '--seed', ''], []],
    [['sim', '--goodput', 'ttft:5', 'tpot:7', '--chip', 'B'], ['B200']],
    [
      ['run', '--json', 'Hi', '--tp', ''],
      ['1', '2', '4', '8'],
    ],
    [['nonsense', ''], []],
  ];
  for (const [words, expected] of cases) {
    test(`after ${JSON.stringify(words)}`, async (t) => {
      const found = await candidates(t, ...words);
      if (words[0] === 'nonsense') assert.ok(found.length > 0, 'the commands are offered again');
      else assert.deepEqual(found, expected);
    });
  }
});

suite('the scripts of shells', () => {
  test('bash offers commands, values and files, and evaluates nothing that was typed', (t) => {
    if (!hasShell(t, 'bash')) return;
    const env = makeShellEnvironment(t);
    writeFileSync(join(env.HOME!, 'my trace.csv'), '');
    const complete = (...words: string[]): string[] => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      const script = `source <(sohu completion bash)
        COMP_WORDS=(sohu ${quoted}); COMP_CWORD=${words.length}; _sohu
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      return runShell(env, 'bash', script);
    };
    assert.deepEqual(complete('swa'), ['swarm']);
    assert.deepEqual(complete('sim', '--chip', 'H'), ['H100', 'H200']);
    assert.deepEqual(complete('sim', '--trace-file', 'my'), ['my trace.csv']);
    complete('run', '$(touch evaluated)', '--t');
    assert.deepEqual(complete('sim', '--trace-file', 'eval'), ['']);
  });

  test('zsh describes commands and offers values and files', (t) => {
    if (!hasShell(t, 'zsh')) return;
    const env = makeShellEnvironment(t);
    const complete = (...words: string[]): string[] => {
      const quoted = ['sohu', ...words].map((word) => `'${word}'`).join(' ');
      const script = `compdef() { :; }; _files() { print FILES; }
        _describe() { print -l -- "\${(@P)2}"; }
        source <(sohu completion zsh)
        words=(${quoted}); CURRENT=${words.length + 1}; _sohu`;
      return runShell(env, 'zsh', script);
    };
    assert.deepEqual(complete('sim', '--chip', 'H'), ['H100:', 'H200:']);
    assert.match(complete('swa')[0]!, /^swarm:Run the cluster/);
    assert.deepEqual(complete('sim', '--trace-file', ''), ['FILES']);
  });

  test('fish offers the same', (t) => {
    if (!hasShell(t, 'fish')) return;
    const env = makeShellEnvironment(t);
    writeFileSync(join(env.HOME!, 'mine.csv'), '');
    const complete = (line: string): string[] =>
      runShell(env, 'fish', `sohu completion fish | source; complete -C '${line}'`);
    assert.deepEqual(complete('sohu sim --chip H'), ['H100', 'H200']);
    assert.match(complete('sohu swa')[0]!, /^swarm\tRun the cluster/);
    assert.deepEqual(
      complete('sohu sim --trace-file mi').map((line) => line.split('\t')[0]),
      ['mine.csv'],
    );
  });
});
