import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeProgram } from '../../../services/cli/program.ts';
import { natsServerBinary } from '../../support/broker.ts';
import { type CliEnvironment, makeCliEnvironment, runCli, startCli } from '../../support/cli.ts';
import { EXERCISED, exercise, LOAD, SCHEDULING } from '../../support/exercise.ts';
import { BUNDLED_MODELS } from '../../support/requirements.ts';
import { startTerminal } from '../../support/terminal.ts';

/** The option that writes a report, to a file that every such run overwrites. */
function htmlOf(env: CliEnvironment): readonly string[] {
  return ['--html', join(env.HOME!, 'report.html')];
}

async function exerciseModelled(t: TestContext, env: CliEnvironment): Promise<void> {
  const plan = JSON.parse((await exercise(t, env, ['plan', ...LOAD, '--json'])).stdout);
  assert.deepEqual(plan.plans[0].layout, { tp: 2, pp: 2, ep: 1, dp: 2 });
  const layouts = await exercise(t, env, ['plan', '--chips', '2', '--json']);
  assert.ok(JSON.parse(layouts.stdout).plans.length > 1);
  const lengths = ['--isl', '128', '--osl', '16'];
  const priced = ['price', ...LOAD, ...lengths, '--concurrency', '8', '--json'];
  const price = JSON.parse((await exercise(t, env, priced)).stdout);
  assert.deepEqual([price.chip, price.chips, price.software], ['H200', 8, 'vllm-0.11']);
  const compared = await exercise(t, env, [
    ...['compare', '--model', 'llama-3-8b', '--chip', 'H100', '--chip', 'B200', '--chips', '4'],
    ...['--tp', '2', '--pp', '1', ...lengths, '--precision', 'fp8', '--software', 'trtllm-1.0'],
    ...['--sweep', '--json', ...htmlOf(env)],
  ]);
  const { workload, rows } = JSON.parse(compared.stdout);
  assert.deepEqual([workload.input_tokens, workload.output_tokens, rows[0].tp], [128, 16, 2]);
  assert.match((await exercise(t, env, ['audit', '--markdown', ...htmlOf(env)])).stdout, /^\|/m);
  assert.ok(JSON.parse((await exercise(t, env, ['audit', '--json'])).stdout));
  const scenario = await exercise(t, env, [
    ...['scenario', 'video-generation', '--chips', 'H200', '--seed', '3', '--json', ...htmlOf(env)],
  ]);
  assert.deepEqual(
    [JSON.parse(scenario.stdout).seed, JSON.parse(scenario.stdout).rows.length],
    [3, 1],
  );
  const software = ['validate', '--software', 'trtllm-0.10.0'];
  assert.match((await exercise(t, env, [...software, '--markdown'])).stdout, /^\|/m);
  assert.ok(JSON.parse((await exercise(t, env, [...software, '--json'])).stdout));
  assert.equal(
    JSON.parse((await exercise(t, env, ['chips', 'H100', '--json'])).stdout).name,
    'H100',
  );
  const models = await exercise(t, env, ['models', 'llama-3-8b', '--json']);
  assert.equal(JSON.parse(models.stdout).name, 'llama-3-8b');
}

async function exerciseSimulations(t: TestContext, env: CliEnvironment): Promise<void> {
  const traceOut = join(env.HOME!, 'steps.json');
  const sim = await exercise(t, env, [
    ...['sim', ...LOAD, '--chips', '8', '--isl', '64', '--osl', '8', '--dataset', 'uniform'],
    ...[
      '--length-spread',
      '0.5',
      '--num-prompts',
      '20',
      '--request-rate',
      '10',
      '--burstiness',
      '2',
    ],
    ...['--max-concurrency', '8', '--seed', '3', ...SCHEDULING, '--scheduling-policy', 'priority'],
    ...['--routing-policy', 'round_robin', '--goodput', 'ttft:500', 'tpot:50'],
    ...['--trace-out', traceOut, '--trace-steps', '5', '--json', ...htmlOf(env)],
  ]);
  const report = JSON.parse(sim.stdout);
  assert.deepEqual(
    [report.seed, report.kv_blocks, report.max_concurrency, report.completed, report.dp],
    [3, 512, 8, 20, 2],
  );
  assert.ok(JSON.parse(readFileSync(traceOut, 'utf8')).traceEvents.length > 0);
  const search = await exercise(t, env, [
    ...['sim', '--model', 'llama-3-8b', '--chip', 'H200', '--chips', '1', '--tp', '1', '--search'],
    ...['--slo', 'ttft:500', '--slo-percentile', '90', '--threads', '1', '--num-prompts', '20'],
    '--json',
  ]);
  assert.equal(JSON.parse(search.stdout).slo_percentile, 90);
  const trace = join(env.HOME!, 'trace.jsonl');
  writeFileSync(trace, '{"timestamp": 0, "input_length": 8, "output_length": 2}\n');
  const replayed = await exercise(t, env, ['sim', '--trace-file', trace, '--json']);
  assert.equal(JSON.parse(replayed.stdout).completed, 1);
  const swarm = ['swarm', '--seeds', '1', '--seed', '3', '--mode', 'safety'];
  assert.equal(JSON.parse((await exercise(t, env, [...swarm, '--json'])).stdout).seed, 3);
  await exercise(t, env, [...swarm, '--faults', '0', '--requests', '0']);
}

async function exerciseLife(t: TestContext, given: CliEnvironment, nats: string): Promise<void> {
  // Where the cluster's keys are, for as long as it lives.
  const env: CliEnvironment = { ...given, TMPDIR: given.HOME! };
  const key = 'a-key-of-a-client';
  const keys = join(env.HOME!, 'keys.json');
  const config = join(env.HOME!, 'sohu.json');
  writeFileSync(config, JSON.stringify({ coordinator: { tp: 4 } }));
  const sha256 = createHash('sha256').update('another-key').digest('hex');
  writeFileSync(keys, JSON.stringify([{ name: 'ann', sha256 }]));
  const place = [
    ...['--model', 'tinystories-5m', '--tp', '2', '--precision', 'bf16', '--kv-cache-dtype', 'fp8'],
    ...['--tokenizer', join(BUNDLED_MODELS, 'tinystories-5m', 'tokenizer.json')],
    ...[...SCHEDULING, '--scheduling-policy', 'fair'],
    ...['--max-num-seqs', '8', '--max-num-batched-tokens', '128', '--step-timeout', '60'],
    ...['--cluster', 'flags', '--nats-server', nats],
  ];
  const gateway = [
    ...['--host', '127.0.0.1', '--port', '0', '--api-key', key, '--api-key-file', keys],
    ...['--allow-anonymous', '--requests-per-minute', '60', '--tokens-per-minute', '10000'],
    ...['--served-model-name', 'storyteller', '--max-body-bytes', '100000'],
    ...['--slow-reader-timeout', '9', '--grpc-port', '0', '--config', config],
  ];
  t.after(() => runCli(t, env, ['down', '--all', '--timeout', '0']));
  await exercise(t, env, ['up', ...place, ...gateway, '--no-demo', '--detach']);
  const [cluster] = JSON.parse((await exercise(t, env, ['ps', '--json'])).stdout);
  await checkServing(cluster, key);
  const url = cluster.nats_url as string;
  await exerciseRun(t, env, place);
  const folder = readdirSync(env.HOME!).find((name) => name.startsWith('sohu-keys-'));
  const nkey = ['--nats-nkey-file', join(env.HOME!, folder!, 'gateway.nk')];
  await exerciseChat(t, env, { place, url, nkey });
  await exerciseBench(t, env, { http: cluster.http_url, url, key, nkey });
  const elsewhere = ['--cluster', 'flags', '--nats', url, ...nkey];
  const trace = ['trace', ...elsewhere, '--seconds', '0.2'];
  await exercise(t, env, [...trace, '--out', join(env.HOME!, 'trace.json')]);
  await exerciseSmi(t, env, elsewhere);
  await exerciseTop(t, env, elsewhere);
  const logs = ['logs', '--lines', '2', '--process', 'coordinator', '--json'];
  assert.equal((await exercise(t, env, logs)).stdout.trim().split('\n').length, 2);
  const follow = exercise(t, env, ['logs', '--follow']);
  const down = await exercise(t, env, ['down', '--all', '--timeout', '5', '--json']);
  assert.equal(JSON.parse(down.stdout)[0].outcome, 'stopped');
  await follow;
}

/** What the options made of the cluster, as its record and its HTTP API tell. */
async function checkServing(
  cluster: Readonly<Record<string, string>> & { readonly pid?: unknown },
  key: string,
): Promise<void> {
  const directory = join(cluster.log_directory!, '..', '..', 'clusters');
  const record = JSON.parse(readFileSync(join(directory, `${cluster.pid}.json`), 'utf8'));
  const { tp, precision, kvCacheDtype, blockSize, numGpuBlocksOverride, maxModelLen } = record;
  assert.deepEqual(
    [tp, precision, kvCacheDtype, blockSize, numGpuBlocksOverride, maxModelLen],
    [2, 'bf16', 'fp8', 8, 512, 256],
  );
  const { schedulingPolicy, watermark, stepTimeout, enablePrefixCaching } = record;
  assert.deepEqual(
    [schedulingPolicy, watermark, stepTimeout, enablePrefixCaching],
    ['fair', 0.1, 60, false],
  );
  const headers = { Authorization: `Bearer ${key}` };
  const models = await fetch(`${cluster.http_url}/v1/models`, { headers });
  const { data } = (await models.json()) as {
    data: readonly { id: string; max_model_len: number }[];
  };
  assert.deepEqual([data[0]!.id, data[0]!.max_model_len], ['storyteller', 256]);
}

/** A run that asks for just what runs starts nothing. */
async function exerciseRun(
  t: TestContext,
  env: CliEnvironment,
  place: readonly string[],
): Promise<void> {
  const drawn = await exercise(t, env, [
    ...['run', ...place, '--n', '2', '--temperature', '0.9', '--top-p', '0.9', '--top-k', '-1'],
    ...[
      '--min-p',
      '0.01',
      '--seed',
      '7',
      '--repetition-penalty',
      '1.1',
      '--presence-penalty',
      '0.1',
    ],
    ...['--frequency-penalty', '0.1', '--logit-bias', '5=-100'],
    ...['--logprobs', '2', '--prompt-logprobs', '1'],
    ...['--max-tokens', '9', '--min-tokens', '9', '--stop', 'zzz', '--stop-token-ids', '2000'],
    ...['--include-stop-str-in-output', '--ignore-eos', '--priority', '3', '--cache-salt', 'salt'],
    ...['--client-id', 'ann', '--timeout', '60', '--json', '--verbose', 'The dog'],
  ]);
  const { results, precision } = JSON.parse(drawn.stdout);
  assert.equal(precision, 'bf16');
  assert.equal(results.length, 2);
  for (const { token_ids, logprobs } of results) {
    assert.equal(token_ids.length, 9);
    assert.ok(!token_ids.includes(5));
    assert.equal(logprobs[0].top.length, 2);
  }
  assert.doesNotMatch(drawn.stderr, /ready/);
  assert.match(drawn.stderr, /^1\.1: .* 9 tokens to length/m);
  const beams = ['--beam-width', '2', '--length-penalty', '1.5', '--max-tokens', '4', '--json'];
  const searched = await exercise(t, env, ['run', '--cluster', 'flags', ...beams, 'The dog']);
  assert.ok(JSON.parse(searched.stdout).results[0].score < 0);
  const constrained = async (...flags: string[]): Promise<string> => {
    const args = ['run', '--cluster', 'flags', '--max-tokens', '60', ...flags, 'The dog'];
    return (await exercise(t, env, args)).stdout.trim();
  };
  assert.match(await constrained('--choice', 'ran', '--choice', 'sat'), /^(ran|sat)$/);
  assert.match(await constrained('--regex', '[a-c]{3}'), /^[a-c]{3}$/);
  const schema = join(env.HOME!, 'schema.json');
  writeFileSync(schema, '{"type": "boolean"}');
  assert.match(await constrained('--json-schema', schema), /^(true|false)$/);
  assert.match(await constrained('--json-object'), /^\{/);
}

async function exerciseSmi(
  t: TestContext,
  env: CliEnvironment,
  elsewhere: readonly string[],
): Promise<void> {
  const smi = ['smi', ...elsewhere];
  const { stdout } = await exercise(t, env, [...smi, '--json', '--id', '1']);
  assert.deepEqual(
    JSON.parse(stdout).chips.map(({ index }: { index: number }) => index),
    [1],
  );
  assert.match((await exercise(t, env, [...smi, '--list'])).stdout, /^Chip 0: .*\nChip 1: /);
  const format = ['--format', 'csv,noheader,nounits'];
  const query = await exercise(t, env, [...smi, '--query-chip', 'index,state', ...format]);
  assert.equal(query.stdout, '0, ready\n1, ready\n');
  const help = await exercise(t, env, ['smi', '--help-query-chip']);
  assert.match(help.stdout, /^utilization\.mfu /m);
  const loop = startCli(t, env, [...smi, '--loop', '0.05', '--query-chip', 'count']);
  await loop.untilPrinted('stdout', '2\n2\n2\n2\n2\n');
  loop.child.kill('SIGINT');
  assert.equal((await loop.exited).code, 130);
  EXERCISED.get('smi')!.add('--loop');
}

async function exerciseTop(
  t: TestContext,
  env: CliEnvironment,
  elsewhere: readonly string[],
): Promise<void> {
  const args = ['top', ...elsewhere, '--delay', '0.25', '--engine', '0'];
  const terminal = startTerminal(t, env, args);
  await terminal?.until('serving');
  terminal?.type('q');
  if (terminal !== undefined) assert.equal(await terminal.exited, 0, terminal.printed());
  EXERCISED.set('top', new Set(args));
}

async function exerciseChat(
  t: TestContext,
  env: CliEnvironment,
  {
    place,
    url,
    nkey,
  }: {
    readonly place: readonly string[];
    readonly url: string;
    readonly nkey: readonly string[];
  },
): Promise<void> {
  const chat = await exercise(
    t,
    env,
    [
      ...[
        'chat',
        ...place,
        '--temperature',
        '0.9',
        '--top-p',
        '0.9',
        '--top-k',
        '5',
        '--min-p',
        '0',
      ],
      ...['--seed', '7', '--repetition-penalty', '1.1', '--presence-penalty', '0.1'],
      ...['--frequency-penalty', '0.1', '--max-tokens', '6', '--min-tokens', '6', '--stop', 'zzz'],
      ...['--stop-token-ids', '2000', '--ignore-eos', '--system', 'Once', '--json', '--verbose'],
    ],
    'upon a time\n/show parameters\n',
  );
  const { usage } = JSON.parse(chat.stdout);
  assert.equal(usage.completion_tokens, 6);
  assert.match(chat.stderr, /^\[host\] TTFT/m);
  assert.match(chat.stderr, /^seed +7 /m);
  const there = ['chat', '--nats', url, ...nkey, '--cluster', 'flags'];
  const near = await exercise(t, env, there, '/show model\n');
  assert.match(near.stderr, /^tinystories-5m, bf16, 2 chips, a context of 256 tokens\.$/m);
}

async function exerciseBench(
  t: TestContext,
  env: CliEnvironment,
  {
    http,
    url,
    key,
    nkey,
  }: {
    readonly http: string;
    readonly url: string;
    readonly key: string;
    readonly nkey: readonly string[];
  },
): Promise<void> {
  const overHttp = await exercise(t, env, [
    ...['bench', '--backend', 'openai', '--base-url', http, '--model', 'storyteller'],
    ...htmlOf(env),
    ...['--api-key', key, '--isl', '16', '--osl', '4', '--dataset', 'uniform'],
    ...['--length-spread', '0.2', '--num-prompts', '4', '--request-rate', '50'],
    ...['--burstiness', '2', '--max-concurrency', '2', '--seed', '3', '--goodput', 'ttft:60000'],
    ...['--temperature', '0.5', '--no-ignore-eos', '--cancellation-rate', '0'],
    ...['--cancellation-delay', '100', '--timeout', '60', '--json'],
  ]);
  assert.equal(JSON.parse(overHttp.stdout).completed, 4);
  const prompts = join(env.HOME!, 'prompts.jsonl');
  writeFileSync(prompts, '{"prompt": "The dog", "output_tokens": 3}\n');
  const trace = join(env.HOME!, 'short.jsonl');
  writeFileSync(trace, '{"timestamp": 0, "input_length": 8, "output_length": 2}\n');
  const place = ['--backend', 'sohu', '--nats', url, ...nkey, '--cluster', 'flags'];
  for (const load of [
    ['--dataset-file', prompts, '--num-prompts', '1'],
    ['--trace-file', trace],
  ]) {
    const bench = await exercise(t, env, ['bench', ...place, '--json', ...load]);
    assert.equal(JSON.parse(bench.stdout).completed, 1);
  }
}

const PHANTOM = [
  ...['--weights', 'phantom', '--model', 'llama-3-8b', '--chip', 'h100', '--tp', '2'],
  ...['--software', 'trtllm-1.0', '--speed', '0', '--output-lengths', 'fixed'],
  ...['--output-tokens', '4'],
];

async function exercisePhantoms(t: TestContext, env: CliEnvironment, nats: string): Promise<void> {
  const run = await exercise(t, env, ['run', ...PHANTOM, '--max-tokens', '9', '--json', 'Hi']);
  assert.equal(JSON.parse(run.stdout).results[0].token_ids.length, 4);
  const chat = await exercise(t, env, ['chat', ...PHANTOM, '--json'], 'Hi\n');
  assert.equal(JSON.parse(chat.stdout).usage.completion_tokens, 4);
  const tokenizer = join(BUNDLED_MODELS, 'tinystories-5m', 'tokenizer.json');
  const load = await exercise(t, env, [
    ...['load', ...PHANTOM, ...SCHEDULING, '--scheduling-policy', 'fcfs', '--precision', 'fp8'],
    ...['--kv-cache-dtype', 'fp8', '--tokenizer', tokenizer, '--max-num-batched-tokens', '512'],
    ...['--max-num-seqs', '32', '--step-timeout', '60', '--nats-server', nats],
    ...['--cluster', 'offered', '--isl', '40', '--osl', '4', '--dataset', 'uniform'],
    ...['--length-spread', '0.2', '--num-prompts', '4', '--request-rate', '50'],
    ...['--burstiness', '2', '--seed', '3', '--json'],
  ]);
  assert.equal(JSON.parse(load.stdout).completed, 4);
  await exercise(t, env, ['up', '--detach', '--port', '0', ...PHANTOM]);
  await exercise(t, env, ['down', '--all', '--json']);
}

test('every flag of every command is exercised', async (t) => {
  const nats = await natsServerBinary(t);
  if (nats === undefined) return;
  const env = makeCliEnvironment(t);
  await t.test('of modelled chips', (t) => exerciseModelled(t, env));
  await t.test('of simulations', (t) => exerciseSimulations(t, env));
  await t.test('of the life of a cluster', (t) => exerciseLife(t, env, nats));
  await t.test('of phantoms', (t) => exercisePhantoms(t, env, nats));
  await t.test('of config', async (t) => {
    const config = join(env.HOME!, 'sohu.json');
    const { stdout } = await exercise(t, env, ['config', '--config', config, '--json']);
    const { value } = JSON.parse(stdout).find(({ name }: { name: string }) => name === 'tp');
    assert.equal(value, 4);
    const schema = await exercise(t, env, ['config', '--schema']);
    assert.equal(JSON.parse(schema.stdout).additionalProperties, false);
  });
  await t.test('of doctor', async (t) => {
    assert.ok(existsSync(env.HOME!));
    const { stdout } = await exercise(t, env, ['doctor', '--json']);
    assert.equal(JSON.parse(stdout).ok, true);
  });
  await t.test('and there is none beside these', () => {
    const missing = makeProgram().commands.flatMap((command) => {
      const exercised = EXERCISED.get(command.name()) ?? new Set();
      return command
        .createHelp()
        .visibleOptions(command)
        .filter(({ long }) => long !== '--help')
        .filter(({ long, short }) => !exercised.has(long!) && !exercised.has(short ?? ''))
        .map(({ long }) => `sohu ${command.name()} ${long}`);
    });
    assert.deepEqual(missing, []);
  });
});
