import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { natsServerBinary } from '../../support/broker.ts';
import {
  type CliEnvironment,
  listDescendants,
  makeCliEnvironment,
  runCli,
  startCli,
  untilAllGone,
} from '../../support/cli.ts';

interface Answer {
  readonly index: number;
  readonly prompt: string;
  readonly text: string;
  readonly finish_reason: string;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

const PREFIX = ['chat', '--temperature', '0', '--max-tokens', '12'];

async function answersTo(
  t: TestContext,
  env: CliEnvironment,
  input: string,
  args: readonly string[] = [],
): Promise<{ answers: Answer[]; stderr: string }> {
  const { code, stdout, stderr } = await runCli(t, env, [...PREFIX, '--json', ...args], input);
  assert.equal(code, 0, stderr);
  const answers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { answers, stderr };
}

test('sohu chat without a terminal', async (t) => {
  const nats = await natsServerBinary(t);
  if (nats === undefined) return;
  const env = makeCliEnvironment(t);
  const up = startCli(t, env, [
    'up',
    '--tp',
    '1',
    '--port',
    '0',
    '--no-demo',
    '--max-model-len',
    '96',
  ]);
  await up.untilPrinted('stderr', 'Serving');
  const url = /nats:\/\/[\d.:]+/.exec(up.printed('stdout'))![0];

  await t.test(
    'answers line by line, with nothing but the answers on standard output',
    async () => {
      const { code, stdout, stderr } = await runCli(t, env, PREFIX, 'Once upon a time\nThen\n');
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, /^, there was [^\n]*\n [^\n]*\n$/);
      const again = await answersTo(t, env, 'Once upon a time\nThen\n');
      assert.equal(again.answers.map(({ text }) => `${text}\n`).join(''), stdout);
    },
  );

  await t.test('a conversation is the chat template of its messages', async () => {
    const [first, second] = (await answersTo(t, env, 'Once upon a time\nThen\n')).answers;
    const whole = `Once upon a time${first!.text} Then`;
    const run = await runCli(t, env, ['run', '--json', '--max-tokens', '12', whole]);
    const [result] = JSON.parse(run.stdout).results;
    assert.equal(second!.text, result.text);
    assert.equal(second!.usage.prompt_tokens, result.usage.prompt_tokens);
  });

  await t.test('a system’s text stands before it, and /clear forgets the rest', async () => {
    const system = ['--system', 'Once upon a time'];
    const { answers } = await answersTo(t, env, 'there was\n/clear\nthere was\n', system);
    const [plain] = (await answersTo(t, env, 'Once upon a time there was\n')).answers;
    assert.deepEqual(
      answers.map(({ text }) => text),
      [plain!.text, plain!.text],
    );
  });

  await t.test('blocks and backslashes make one prompt of several lines', async () => {
    const { answers } = await answersTo(t, env, '"""one\ntwo"""\nthree\\\nfour');
    assert.deepEqual(
      answers.map(({ prompt }) => prompt),
      ['one\ntwo', 'three\nfour'],
    );
  });

  await t.test('/set takes effect, and --verbose tells both clocks of every answer', async () => {
    const input = '/set max_tokens 3\nThe dog\n/set verbose\nThe cat\n';
    const { answers, stderr } = await answersTo(t, env, input);
    assert.deepEqual(
      answers.map(({ usage }) => usage.completion_tokens),
      [3, 3],
    );
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 3, 'of the second answer alone');
    assert.match(lines[0]!, /^\d+ prompt tokens \(\d+ cached\), 3 tokens to length$/);
    assert.match(lines[1]!, /^\[host\] TTFT .+, TPOT .+ \(\d+ tokens\/s\), in all .+$/);
    assert.match(lines[2]!, /^\[device: Sohu as claimed.*\] TTFT .+, TPOT .+$/);
  });

  await t.test('a conversation that no longer fits loses its beginning, and says so', async () => {
    const input = 'The dog was happy\n'.repeat(8);
    const { answers, stderr } = await answersTo(t, env, input);
    assert.equal(answers.length, 8);
    for (const { usage } of answers) assert.ok(usage.prompt_tokens + 12 <= 96);
    assert.match(
      stderr,
      /^The conversation no longer fits the context of 96 tokens: the oldest \d+ messages left out\.$/m,
    );
  });

  await t.test('what fails is told, the rest is answered, and the exit code is 1', async () => {
    const long = 'dog '.repeat(200);
    const { code, stdout, stderr } = await runCli(t, env, PREFIX, `${long}\n/sho\nThe dog\n`);
    assert.equal(code, 1);
    const [tooLong, unknown, ...rest] = stderr.trimEnd().split('\n');
    assert.match(tooLong!, /^error: the message is longer than the 84 tokens/);
    assert.match(unknown!, /^error: command must be .* the nearest is \/show$/);
    assert.deepEqual(rest, []);
    assert.equal(stdout.split('\n').length, 2);
  });

  await t.test('--nats joins a cluster that has no record here', async () => {
    const elsewhere = makeCliEnvironment(t);
    const { answers, stderr } = await answersTo(t, elsewhere, 'The dog\n', ['--nats', url]);
    assert.equal(answers[0]!.text, (await answersTo(t, env, 'The dog\n')).answers[0]!.text);
    assert.equal(stderr, '', 'nothing is started');
    const wrong = await runCli(
      t,
      elsewhere,
      [...PREFIX, '--nats', url, '--cluster', 'other'],
      'Hi\n',
    );
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^error: /);
  });

  await t.test('SIGINT ends it with exit code 130', async () => {
    const chat = startCli(
      t,
      env,
      ['chat', '--ignore-eos', '--max-tokens', '80'],
      'The dog\n'.repeat(99),
    );
    await chat.untilPrinted('stdout', ' ');
    chat.child.kill('SIGINT');
    assert.equal((await chat.exited).code, 130);
  });

  up.child.kill('SIGTERM');
  await up.exited;
});

suite('sohu chat without a cluster', () => {
  test('starts one for the chat, and ends it', async (t) => {
    if ((await natsServerBinary(t)) === undefined) return;
    const chat = startCli(t, makeCliEnvironment(t), [...PREFIX, '--tp', '2'], 'The dog\n');
    await chat.untilPrinted('stdout', ' ');
    const processes = listDescendants(chat.pid);
    const { code, stdout, stderr } = await chat.exited;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /The cluster was ready/);
    assert.match(stdout, /^ .+\n$/);
    await untilAllGone(processes);
  });
});
