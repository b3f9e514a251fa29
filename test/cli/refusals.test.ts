import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { packageVersion } from '../../services/runtime/package-info.ts';
import { makeProgram } from '../runtime/fixtures/programs.ts';
import { natsServerBinary } from '../support/broker.ts';
import { writeHfCheckpoint } from '../support/checkpoint-files.ts';
import { makeCliEnvironment, runCli } from '../support/cli.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

interface Refusal {
  readonly args: readonly string[];
  readonly code: number;
  /** Parts of the sentence. */
  readonly says: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The program must end with the code, one sentence on standard error, and nothing on standard output. */
async function assertRefused(t: TestContext, { args, code, says, env }: Refusal): Promise<void> {
  const exit = await runCli(t, { ...makeCliEnvironment(t), ...env }, args);
  assert.equal(exit.code, code, exit.stderr);
  assert.equal(exit.stdout, '');
  assert.match(exit.stderr, /^error: .+\n$/);
  for (const part of says) assert.ok(exit.stderr.includes(part), `${exit.stderr} says ${part}`);
}

suite('wrong usage ends with exit code 2 and a sentence that names the valid choice', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['an unknown option', ['run', '--presicion', 'fp8', 'Hi'], ['--presicion', '--precision?']],
    ['an unknown command', ['rum', 'Hi'], ["'rum'", 'run?']],
    ['no prompt', ['run'], ['prompts']],
    ['a degree that is none', ['run', '--tp', '3', 'Hi'], ['--tp', "'3'", '1, 2, 4, 8']],
    ['an unknown precision', ['up', '--precision', 'fp4'], ['--precision', 'f32, bf16, fp8']],
    [
      'a temperature that is no number',
      ['run', '--temperature', 'hot', 'Hi'],
      ['--temperature', "'hot'"],
    ],
    ['a negative temperature', ['run', '--temperature=-1', 'Hi'], ['temperature', '0', '-1']],
    ['a nucleus of more than all', ['run', '--top-p', '1.5', 'Hi'], ['top_p', '1', '1.5']],
    ['no tokens', ['run', '--max-tokens', '0', 'Hi'], ['--max-tokens', 'from 1']],
    ['no samples', ['run', '--n', '0', 'Hi'], ['--n', 'from 1']],
    ['too many samples', ['run', '--n', '129', 'Hi'], ['n must', '1 to 128', '129']],
    [
      'more tokens at least than at most',
      ['run', '--min-tokens', '9', '--max-tokens', '8', 'Hi'],
      ['min_tokens', 'max_tokens', '8', '9'],
    ],
    ['an empty stop text', ['run', '--stop', '', 'Hi'], ['stop', '1 to 256']],
    ['a stop token that is none', ['run', '--stop-token-ids', '5,x', 'Hi'], ['--stop-token-ids']],
    ['a min-p above 1', ['run', '--min-p', '2', 'Hi'], ['min_p', '0 and 1', '2']],
    ['no repetition', ['run', '--repetition-penalty', '0', 'Hi'], ['repetition_penalty', '100']],
    [
      'a large penalty',
      ['run', '--presence-penalty', '-3', 'Hi'],
      ['presence_penalty', '-2 and 2'],
    ],
    ['a bias of no token', ['run', '--logit-bias', 'x=1', 'Hi'], ['--logit-bias', '12=-100,7=3.5']],
    ['two biases for a token', ['run', '--logit-bias', '7=1,12=2,7=3', 'Hi'], ['token 7', 'two']],
    [
      'two biases for a token, in two options',
      ['run', '--logit-bias', '7=1', '--logit-bias', '7=1', 'Hi'],
      ['token 7', 'two'],
    ],
    ['top-k below all', ['run', '--top-k', '-2', 'Hi'], ['--top-k', 'from 0']],
    ['no time', ['run', '--timeout', '0', 'Hi'], ['--timeout', 'seconds']],
    ['a long client', ['run', '--client-id', 'x'.repeat(129), 'Hi'], ['client_id', '0 to 128']],
    ['a slip in a policy', ['up', '--scheduling-policy', 'fire'], ['nearest is fair']],
    ['a slip in a chip', ['price', '--chip', 'H10'], ['H100', 'the nearest is H100']],
    ['a slip in a model', ['price', '--model', 'lama-3-70b'], ['the nearest is llama-3-70b']],
    ['a slip in a trace', ['sim', '--trace-file', 'package.jsonl'], ['package.jsonl']],
    ['a topic that there is not', ['help', 'exit-code'], ['the nearest is exit-codes']],
    ['a shell without completion', ['completion', 'tcsh'], ['bash, zsh, fish']],
    ['a cluster that does not run', ['down', 'rack'], ['none does', '"rack"']],
    ['a cluster and all', ['down', '--all', 'rack'], ['--all', '"rack"', 'exclude']],
    ['a parameter of a chat', ['chat', '--temperature', '-1'], ['temperature', '-1']],
    ['a large bias', ['run', '--logit-bias', '5=101', 'Hi'], ['logit_bias', '-100 and 100', '5']],
    ['too many alternatives', ['run', '--logprobs', '129', 'Hi'], ['logprobs', '0 to 128']],
    ['a priority that is no number', ['run', '--priority', 'high', 'Hi'], ['--priority', 'whole']],
    ['a long salt', ['run', '--cache-salt', 'x'.repeat(257), 'Hi'], ['cache_salt', '0 to 256']],
    ['beams of nothing', ['run', '--beam-width', '0', 'Hi'], ['--beam-width', 'from 1']],
    ['too many beams', ['run', '--beam-width', '65', 'Hi'], ['beamWidth', '1 to 64']],
    [
      'more beams than are followed',
      ['run', '--beam-width', '2', '--n', '3', 'Hi'],
      ['--n', '--beam-width', '2', '3'],
    ],
    [
      'beams that are drawn',
      ['run', '--beam-width', '2', '--temperature', '1', 'Hi'],
      ['--beam-width', '--temperature'],
    ],
    [
      'an expression that is none',
      ['run', '--regex', '(', 'Hi'],
      ['regex must be', 'Unterminated'],
    ],
    ['a schema that is not there', ['run', '--json-schema', 'none.json', 'Hi'], ['--json-schema']],
    [
      'two constraints',
      ['run', '--regex', 'a', '--choice', 'b', 'Hi'],
      ['--regex', 'cannot be used with', '--choice'],
    ],
    [
      'a constraint of beams',
      ['run', '--beam-width', '2', '--json-object', 'Hi'],
      ['--beam-width', '--json-object'],
    ],
    ['a penalty without beams', ['run', '--length-penalty', '2', 'Hi'], ['needs --beam-width']],
    ['a seed that is too large', ['run', '--seed', '4294967296', 'Hi'], ['--seed']],
    ['a cluster name with a dot', ['up', '--cluster', 'a.b'], ['--cluster', 'letters']],
    ['an argument that up does not take', ['up', 'now'], ['up', 'arguments']],
    ['a port that there is not', ['up', '--port', '70000'], ['--port', '65535']],
    [
      'other machines without keys',
      ['up', '--host', '0.0.0.0'],
      ['host', '--api-key', '--allow-anonymous'],
    ],
    ['a file of keys that is absent', ['up', '--api-key-file', '/nonexistent'], ['/nonexistent']],
  ];
  for (const [name, args, says] of cases) {
    test(name, (t) => assertRefused(t, { args, code: 2, says }));
  }

  test('no command at all shows the help', async (t) => {
    const exit = await runCli(t, makeCliEnvironment(t), []);
    assert.equal(exit.code, 2);
    assert.match(exit.stderr, /^Examples:/);
  });
});

suite('a model that is refused ends with exit code 3 before anything starts', () => {
  test('no such model', (t) =>
    assertRefused(t, {
      args: ['run', '--model', '/nonexistent', 'Hi'],
      code: 3,
      says: ['/nonexistent', 'tinystories-5m'],
    }));

  test('a damaged file', (t) => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model);
    truncateSync(join(model, 'model.safetensors'), 1000);
    return assertRefused(t, { args: ['up', '--model', model], code: 3, says: [model] });
  });

  test('a network of another kind', (t) => {
    const model = makeTemporaryDirectory(t);
    const config = { architectures: ['ResNetForImageClassification'], model_type: 'resnet' };
    mkdirSync(model, { recursive: true });
    writeFileSync(join(model, 'config.json'), JSON.stringify(config));
    return assertRefused(t, { args: ['run', '--model', model, 'Hi'], code: 3, says: ['ResNet'] });
  });

  test('a tokenizer of another model', (t) => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model);
    const tokenizer = join(BUNDLED_MODELS, 'tinystories-5m', 'tokenizer.json');
    return assertRefused(t, {
      args: ['run', '--model', model, '--tokenizer', tokenizer, 'Hi'],
      code: 3,
      says: [tokenizer, '64 tokens'],
    });
  });
});

suite('without a broker the exit code is 4', () => {
  test('the chosen program does not exist', (t) =>
    assertRefused(t, {
      args: ['run', 'Hi'],
      code: 4,
      says: ['/nonexistent/nats-server', 'SOHU_NATS_SERVER'],
      env: { PATH: '', SOHU_NATS_SERVER: '/nonexistent/nats-server' },
    }));

  test('the chosen program does not start', async (t) => {
    const program = await makeProgram(t, ['echo "no such luck" >&2', 'exit 1']);
    const args = ['up', '--nats-server', program];
    await assertRefused(t, { args, code: 4, says: [program, 'no such luck'] });
  });
});

test('an address that is taken ends with exit code 5, and says so', async (t) => {
  if ((await natsServerBinary(t)) === undefined) return;
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const args = ['up', '--tp', '1', '--port', String(port)];
  const { code, stdout, stderr } = await runCli(t, makeCliEnvironment(t), args);
  assert.equal(code, 5, stderr);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    new RegExp(`^error: .*port ${port} of 127.0.0.1 is taken; --port .*\\n$`, 'm'),
  );
});

test('a chat template that is none ends with exit code 3', async (t) => {
  if ((await natsServerBinary(t)) === undefined) return;
  const model = join(makeTemporaryDirectory(t), 'model');
  cpSync(join(BUNDLED_MODELS, 'tinystories-5m'), model, { recursive: true });
  writeFileSync(join(model, 'chat_template.jinja'), '{% if %}');
  const args = ['up', '--tp', '1', '--port', '0', '--model', model];
  const { code, stderr } = await runCli(t, makeCliEnvironment(t), args);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^error: the chat template cannot be used: .+\n$/m);
});

suite('what only looks', () => {
  test('--version prints the version', async (t) => {
    const exit = await runCli(t, makeCliEnvironment(t), ['--version']);
    assert.deepEqual(exit, { code: 0, stdout: `${packageVersion()}\n`, stderr: '' });
  });
});
