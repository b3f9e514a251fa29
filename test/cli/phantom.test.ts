import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { rangeOf } from '../../services/core/hardware/figure.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { startLiveCluster } from '../gateway/live-cluster.ts';
import { natsServerBinary } from '../support/broker.ts';
import { makeCliEnvironment, runCli } from '../support/cli.ts';
import { until } from '../support/live-cluster.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const PHANTOM = ['--weights', 'phantom', '--model', 'llama-3-8b', '--chip', 'h100'];

interface Side {
  readonly device: number;
  readonly simulated: number;
}

test('a phantom cluster takes the device time that the simulation of the same arrivals does', async (t) => {
  if ((await natsServerBinary(t)) === undefined) return;
  const loads: readonly (readonly string[])[] = [
    ['--tp', '2', '--num-prompts', '24', '--osl', '24', '--isl', '900'],
    ['--tp', '1', '--num-prompts', '24', '--osl', '16', '--request-rate', '20', '--seed', '5'],
    // Preemptions, chunks and lengths that differ.
    [
      ...['--tp', '2', '--num-prompts', '20', '--osl', '60', '--isl', '300'],
      ...['--dataset', 'uniform', '--num-gpu-blocks-override', '120'],
      ...['--capacity-scheduler-policy', 'max_utilization', '--max-num-batched-tokens', '512'],
      ...['--max-num-seqs', '64'],
    ],
  ];
  for (const args of loads) {
    await t.test(args.join(' '), async (t) => {
      const env = makeCliEnvironment(t);
      const common = ['load', '--model', 'llama-3-8b', '--chip', 'h100', '--speed', '0', '--json'];
      const { code, stdout, stderr } = await runCli(t, env, [...common, ...args]);
      assert.equal(code, 0, stderr);
      const { failed, completed, held_speed, preemptions, ...rest } = JSON.parse(stdout);
      assert.deepEqual([failed, completed], [0, Number(args[args.indexOf('--num-prompts') + 1])]);
      assert.ok(held_speed > 0);
      if (args.includes('max_utilization')) assert.ok(preemptions > 0);
      const sides = Object.entries<Side>(rest).filter(([, it]) => it?.simulated !== undefined);
      assert.equal(sides.length, 9);
      for (const [name, { device, simulated }] of sides) {
        assert.ok(Math.abs(device / simulated - 1) < 1e-6, `${name}: ${device}, ${simulated}`);
      }
    });
  }
});

test('a phantom cluster serves OpenAI’s API as one with weights does', async (t) => {
  const args = [...PHANTOM, '--speed', '0', '--output-lengths', 'fixed', '--output-tokens', '9'];
  const live = await startLiveCluster(t, args);
  if (live === undefined) return;
  const post = async (route: string, body: object): Promise<Response> =>
    fetch(`${live.url}${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'llama-3-8b', ...body }),
    });
  // biome-ignore lint/suspicious/noExplicitAny: what is wrong with an answer fails the test.
  const ask = async (route: string, body: object): Promise<any> => (await post(route, body)).json();

  await t.test('tells what it stands for', async () => {
    await live.up.untilPrinted('stdout', 'Outputs');
    const printed = live.up.printed('stdout');
    assert.match(printed, /^Phantom +llama-3-8b on 2 × H100 \(tp 2\), fp8 weights/m);
    assert.match(printed, /^Memory .* KV blocks hold \d+ tokens$/m);
    const info = await live.client.serverInfo();
    const { weights, chip, software, speed } = info;
    assert.deepEqual([weights, chip, software, speed], ['phantom', 'H100', 'trtllm-1.0', 0]);
    assert.ok(info.kvBlocks > 50_000, `${info.kvBlocks} blocks`);
    assert.ok(info.chips.every(({ hbmBytesTotal }) => hbmBytesTotal > 79e9));
  });

  await t.test('shows the modelled chips to those who watch', async () => {
    await ask('/v1/completions', { prompt: 'Hello', max_tokens: 8, ignore_eos: true });
    const { weights, kvCacheDtype, chips } = await live.client.telemetry.snapshot();
    assert.deepEqual([weights, kvCacheDtype], ['phantom', 'fp8']);
    assert.equal(chips.length, 2);
    const { hbmBytes, powerWatts } = findChip('H100');
    for (const chip of chips) {
      assert.deepEqual([chip.name, chip.hbmTotalBytes], ['NVIDIA H100', hbmBytes]);
      assert.ok(chip.mfu > 0 && chip.hbmBandwidth > 0 && chip.linkBandwidth > 0);
      // Idle or busy, it draws between what it always draws and its limit.
      const rated = rangeOf(powerWatts).high;
      assert.ok(chip.powerWatts > 0.15 * rated && chip.powerWatts <= rated, `${chip.powerWatts} W`);
      assert.ok(chip.hbmWeightBytes > 3e9, `${chip.hbmWeightBytes} bytes of weights`);
    }
  });

  await t.test('ends where the length model says, or the request', async () => {
    const body = { prompt: 'The quick brown fox', max_tokens: 30, seed: 3 };
    const free = await ask('/v1/completions', body);
    assert.deepEqual([free.choices[0].finish_reason, free.usage.completion_tokens], ['stop', 9]);
    assert.match(free.choices[0].text, /^(?: [a-z]+){8}$/);
    assert.deepEqual((await ask('/v1/completions', body)).choices, free.choices);
    const ignoring = await ask('/v1/completions', { ...body, ignore_eos: true });
    assert.deepEqual(
      [ignoring.choices[0].finish_reason, ignoring.usage.completion_tokens],
      ['length', 30],
    );
    const word = free.choices[0].text.split(' ')[3];
    const stopped = await ask('/v1/completions', { ...body, stop: [` ${word}`] });
    assert.equal(stopped.choices[0].text, free.choices[0].text.split(` ${word}`)[0]);
    const many = await ask('/v1/completions', { ...body, n: 3, logprobs: 2 });
    assert.equal(new Set(many.choices.map(({ text }: { text: string }) => text)).size, 3);
    assert.equal(many.choices[0].logprobs.tokens.length, 9);
  });

  await t.test('chats, tokenizes and gives texts back', async () => {
    const messages = [{ role: 'user', content: 'What is the weather like today?' }];
    const chat = await ask('/v1/chat/completions', { messages, max_tokens: 4 });
    assert.equal(chat.usage.completion_tokens, 4);
    assert.ok(chat.usage.prompt_tokens > 8 && chat.usage.prompt_tokens < 20);
    const prompt = 'Zoë’s 🎈 is here.';
    const { tokens } = await ask('/tokenize', { prompt });
    assert.equal((await ask('/detokenize', { tokens })).prompt, prompt);
  });

  await t.test(
    'finds prefixes again, frees what is cancelled, and counts modelled bytes',
    async () => {
      const prompt = 'word '.repeat(200);
      await ask('/v1/completions', { prompt, max_tokens: 2 });
      const again = await ask('/v1/completions', { prompt, max_tokens: 2 });
      assert.ok(again.usage.prompt_tokens_details.cached_tokens > 100);
      const controller = new AbortController();
      const request = { prompt: 'Hello', maxTokens: 8000, ignoreEos: true };
      const stream = live.client.generateStream(request, { signal: controller.signal });
      await assert.rejects(async () => {
        for await (const event of stream) if (event.kind === 'tokens') controller.abort();
      });
      await until('nothing runs', async () => (await live.load()).running === 0);
      const { chips } = await live.client.serverInfo();
      // 32 layers, two all-reduces each, of 4096 × 2 bytes for each of more than 200 tokens.
      for (const { bytesSent } of chips) assert.ok(bytesSent > 200 * 32 * 2 * 4096 * 2);
    },
  );

  await t.test('shows device time in its metrics', async () => {
    const [, metrics] = /^Metrics +(http:\S+)/m.exec(live.up.printed('stdout'))!;
    const text = await (await fetch(metrics!)).text();
    const valueNamed = (name: string): number =>
      Number(new RegExp(`^${name}\\{[^}]*engine="0"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
    assert.ok(valueNamed('sohu_device_seconds_total') > 0.1);
    assert.ok(valueNamed('sohu_busy_seconds_total') > 0);
    assert.equal(valueNamed('sohu_device_lag_seconds'), 0);
    assert.match(text, /^DCGM_FI_DEV_FB_USED\{[^}]*modelName="NVIDIA H100"/m);
  });

  await t.test('says at its end how fast it was', async () => {
    live.up.child.kill('SIGINT');
    await live.up.untilPrinted('stderr', 'Pace: ');
  });
});

test('a phantom of a folder uses its tokenizer and its stop tokens', async (t) => {
  if ((await natsServerBinary(t)) === undefined) return;
  const folder = makeTemporaryDirectory(t);
  const bundled = join(BUNDLED_MODELS, 'tinystories-5m');
  for (const name of ['config.json', 'tokenizer.json'])
    cpSync(join(bundled, name), join(folder, name));
  const run = ['run', '--weights', 'phantom', '--model', folder, '--tp', '1', '--json'];
  const { code, stdout, stderr } = await runCli(t, makeCliEnvironment(t), [
    ...[...run, '--output-lengths', 'fixed', '--output-tokens', '5', '--max-tokens', '20'],
    'Once upon a time',
  ]);
  assert.equal(code, 0, stderr);
  const [result] = JSON.parse(stdout).results;
  const { eos_token_id: eos } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  assert.deepEqual([result.token_ids.length, result.token_ids.at(-1)], [5, eos]);
});

suite('what no phantom can be is refused', () => {
  const cases: readonly (readonly [string, readonly string[], number, readonly string[]])[] = [
    [
      'a chip with weights',
      ['up', '--chip', 'h100'],
      2,
      ['chip must be left out', '--weights phantom'],
    ],
    ['an unknown chip', ['up', ...PHANTOM, '--chip', 'h1000'], 2, ['chip must be', 'H100']],
    [
      'arithmetic of no chip',
      ['up', ...PHANTOM, '--precision', 'f32'],
      2,
      ['precision must be fp8 or bf16'],
    ],
    [
      'a model that generates no tokens',
      ['up', '--weights', 'phantom', '--model', 'wan-2.1-14b'],
      2,
      ['model must generate tokens'],
    ],
    [
      'a model that does not fit',
      ['up', '--weights', 'phantom', '--model', 'llama-3.1-405b', '--chip', 'a100', '--tp', '1'],
      2,
      ['does not fit 1 A100'],
    ],
    [
      'an unknown model',
      ['up', '--weights', 'phantom', '--model', 'lama-3-70b'],
      2,
      ['llama-3-70b'],
    ],
    ['other layouts', ['up', ...PHANTOM, '--pp', '2'], 2, ['--pp']],
  ];
  for (const [what, args, code, says] of cases) {
    test(what, async (t) => {
      const exit = await runCli(t, makeCliEnvironment(t), args);
      assert.equal(exit.code, code, exit.stderr);
      assert.equal(exit.stdout, '');
      for (const part of says) assert.ok(exit.stderr.includes(part), `${exit.stderr} says ${part}`);
    });
  }

  test('a vocabulary too small for the synthetic tokenizer', async (t) => {
    const folder = makeTemporaryDirectory(t);
    const path = packagePath('models/catalogue/llama-3-8b.json');
    const config = { ...JSON.parse(readFileSync(path, 'utf8')), vocab_size: 200 };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const args = ['up', '--weights', 'phantom', '--model', folder];
    const { code, stderr } = await runCli(t, makeCliEnvironment(t), args);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /vocab_size must leave room.*200: give --tokenizer/);
  });
});
