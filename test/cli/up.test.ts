import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { SohuClient } from '../../services/client/index.ts';
import { natsServerBinary } from '../support/broker.ts';
import {
  type CliEnvironment,
  type CliProcess,
  listDescendants,
  makeCliEnvironment,
  runCli,
  startCli,
  untilAllGone,
} from '../support/cli.ts';

interface Up {
  readonly env: CliEnvironment;
  readonly up: CliProcess;
  readonly processes: ReturnType<typeof listDescendants>;
}

/** A cluster of two chips that serves; undefined where the test is skipped. */
async function startUp(t: TestContext, args: readonly string[] = []): Promise<Up | undefined> {
  if ((await natsServerBinary(t)) === undefined) return undefined;
  const env = makeCliEnvironment(t);
  const up = startCli(t, env, ['up', '--tp', '2', '--port', '0', ...args]);
  await up.untilPrinted('stderr', 'Serving');
  return { env, up, processes: listDescendants(up.pid) };
}

function recordFile({ env, up }: Up): string {
  return join(env.XDG_STATE_HOME!, 'sohu', 'clusters', `${up.pid}.json`);
}

async function assertStopped(serving: Up): Promise<void> {
  await untilAllGone(serving.processes);
  assert.ok(serving.processes.length >= 5, 'broker, two chips, coordinator and gateway');
}

test('sohu up serves other commands until it is told to stop', async (t) => {
  const serving = await startUp(t);
  if (serving === undefined) return;
  const { env, up, processes } = serving;
  const run = (...args: string[]) => runCli(t, env, ['run', '--max-tokens', '8', ...args]);

  await t.test('records itself for its user alone', () => {
    const path = recordFile(serving);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const record = JSON.parse(readFileSync(path, 'utf8'));
    const { pid, tp, precision, cluster } = record;
    assert.deepEqual(
      { pid, tp, precision, cluster },
      { pid: up.pid, tp: 2, precision: 'fp8', cluster: 'sohu' },
    );
    assert.match(up.printed('stdout'), new RegExp(`^HTTP +${record.gatewayUrl}/v1 `, 'm'));
  });

  let single = '';
  await t.test('run finds it, and prints the text alone', async () => {
    const { code, stdout, stderr } = await run('Once upon a time');
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /ready/);
    assert.match(stdout, /^[^\n]*, there was .*\n$/s);
    single = stdout;
  });

  await t.test('run --json tells of the texts, the tokens and the chips', async () => {
    const { code, stdout, stderr } = await run('--json', 'Once upon a time', 'The dog');
    assert.equal(code, 0, stderr);
    const object = JSON.parse(stdout);
    assert.deepEqual(Object.keys(object), [
      ...['model', 'precision', 'tp', 'clocks', 'device_ms', 'results', 'chips'],
    ]);
    assert.deepEqual([object.model, object.precision, object.tp], ['tinystories-5m', 'fp8', 2]);
    const [first, second] = object.results;
    assert.equal(`${first.text}\n`, single, 'a text does not depend on its batch');
    assert.deepEqual([first.index, second.index], [0, 1]);
    assert.equal(second.prompt, 'The dog');
    assert.equal(first.token_ids.length, 8);
    assert.equal(first.finish_reason, 'length');
    assert.equal(first.usage.completion_tokens, 8);
    assert.deepEqual([first.choice, first.stop_reason, first.preemptions], [0, null, 0]);
    assert.ok(Number.isInteger(first.usage.cached_tokens));
    const { queue_ms, prefill_ms, decode_ms, inference_ms, e2e_ms } = first.timings;
    assert.ok(Math.abs(queue_ms + inference_ms - e2e_ms) < 1e-9);
    assert.ok(Math.abs(prefill_ms + decode_ms - inference_ms) < 1e-9);
    assert.match(object.clocks.device_timings, /Sohu as claimed; input, by construction/);
    const device = first.device_timings;
    assert.ok(device.prefill_ms > 0 && device.decode_ms > 0);
    assert.ok(Math.abs(device.queue_ms + device.inference_ms - device.e2e_ms) < 1e-9);
    assert.ok(device.e2e_ms < e2e_ms && object.device_ms >= device.e2e_ms);
    const pids = processes.map(({ pid }) => pid);
    for (const chip of object.chips) {
      assert.ok(pids.includes(chip.pid), 'a chip of the running cluster');
      assert.ok(chip.weight_bytes > 0 && chip.bytes_sent > 0 && chip.compute_ms > 0);
    }
  });

  await t.test('several texts come one after the other, with their titles elsewhere', async () => {
    const { stdout, stderr } = await run('Once upon a time', 'The dog', 'Once upon a time');
    assert.ok(stdout.startsWith(single) && stdout.endsWith(single), stdout);
    assert.match(stderr, /^1: "Once upon a time"\n2: "The dog"\n3: "Once upon a time"\n24 tokens/);
  });

  await t.test('more prompts than a few share the batch', async () => {
    const prompts = Array.from({ length: 20 }, () => 'Once upon a time');
    const { stdout, stderr } = await run(...prompts);
    assert.equal(stdout, single.repeat(20));
    assert.doesNotMatch(stderr, /warning/i);
  });

  await t.test('equal seeds draw equal texts', async () => {
    const draw = async (seed: string) =>
      (await run('--temperature', '1', '--top-p', '0.9', '--seed', seed, 'The dog')).stdout;
    assert.equal(await draw('7'), await draw('7'));
  });

  await t.test('samples come one after the other, and --verbose tells of each', async () => {
    const { code, stdout, stderr } = await run('--n', '2', '--verbose', 'Once upon a time', 'Hi');
    assert.equal(code, 0, stderr);
    assert.ok(stdout.startsWith(single.repeat(2)), 'greedy samples are equal');
    assert.match(
      stderr,
      /^1\.1: "Once upon a time"\n1\.2: "Once upon a time"\n2\.1: "Hi"\n2\.2: "Hi"\n/,
    );
    const lines = stderr.match(/^\d\.\d: \d+ prompt tokens? .+ 8 tokens to length, queue .+$/gm);
    assert.equal(lines?.length, 4, stderr);
  });

  await t.test('a stop text ends the output, and --json names it', async () => {
    const stop = single.slice(10, 14);
    const { stdout } = await run(
      '--json',
      '--stop',
      'no such text',
      '--stop',
      stop,
      'Once upon a time',
    );
    const [result] = JSON.parse(stdout).results;
    assert.equal(result.text, single.slice(0, single.indexOf(stop)));
    assert.deepEqual([result.finish_reason, result.stop_reason], ['stop', stop]);
    const kept = await run('--stop', stop, '--include-stop-str-in-output', 'Once upon a time');
    assert.equal(kept.stdout, `${single.slice(0, single.indexOf(stop) + stop.length)}\n`);
  });

  await t.test('a prompt that is too long is a matter of usage', async () => {
    const { code, stdout, stderr } = await run('Hi', 'word '.repeat(4000));
    assert.equal(code, 2, stderr);
    assert.equal(stdout.includes('word'), false);
    assert.match(stderr, /error: prompt 2: .+\n$/);
  });

  await t.test('options that it does not have start another cluster for the call', async () => {
    const { code, stdout, stderr } = await run(
      '--precision',
      'f32',
      '--tp',
      '1',
      'Once upon a time',
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /ready/);
    assert.notEqual(stdout, '');
    const same = await run(
      '--precision',
      'fp8',
      '--tp',
      '2',
      '--model',
      'tinystories-5m',
      'Once upon a time',
    );
    assert.doesNotMatch(same.stderr, /ready/);
    assert.equal(same.stdout, single);
  });

  await t.test('run gives up when its time is over, with what it has so far', async () => {
    const args = ['--timeout', '0.5', '--max-tokens', '900', '--ignore-eos', 'Once upon a time'];
    const { code, stderr } = await run(...args);
    assert.equal(code, 1);
    assert.equal(stderr, 'error: the call took longer than 500 ms\n');
  });

  await t.test('a record of a process that is gone is forgotten', async () => {
    const stale = join(env.XDG_STATE_HOME!, 'sohu', 'clusters', '4194999.json');
    writeFileSync(stale, readFileSync(recordFile(serving)));
    assert.equal((await run('Once upon a time')).stdout, single);
    assert.equal(existsSync(stale), false);
  });

  await t.test('SIGTERM ends it well, with everything that it started and its record', async () => {
    up.child.kill('SIGTERM');
    const { code, stdout, stderr } = await up.exited;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Once upon a time, there was .+ HBM .+ GB /s);
    const url = /connect\('(.+?)'\)/.exec(stdout)![1]!;
    await assert.rejects(SohuClient.connect(url), { code: 'UNAVAILABLE' });
    await assertStopped(serving);
    assert.deepEqual(readdirSync(join(env.XDG_STATE_HOME!, 'sohu', 'clusters')), []);
  });
});

suite('however sohu up ends, no process is left', () => {
  test('SIGINT', async (t) => {
    const serving = await startUp(t, ['--no-demo']);
    if (serving === undefined) return;
    serving.up.child.kill('SIGINT');
    assert.equal((await serving.up.exited).code, 0);
    await assertStopped(serving);
  });

  test('SIGKILL', async (t) => {
    const serving = await startUp(t, ['--no-demo']);
    if (serving === undefined) return;
    serving.up.child.kill('SIGKILL');
    await assertStopped(serving);
  });

  const deaths = [
    ['sohu: chip 0.1', 'chip 1'],
    ['sohu: gateway', 'the gateway'],
    ['nats-server', 'the broker'],
  ] as const;
  for (const [title, name] of deaths) {
    test(`the death of ${name} ends it with exit code 1 and the name`, async (t) => {
      const serving = await startUp(t, ['--no-demo']);
      if (serving === undefined) return;
      const victim = serving.processes.find((process) => process.title.includes(title))!;
      process.kill(victim.pid, 'SIGKILL');
      const { code, stderr } = await serving.up.exited;
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`error: ${name} .*pid ${victim.pid}\\) ended .+\\n$`));
      await assertStopped(serving);
      assert.equal(existsSync(recordFile(serving)), false);
    });
  }
});
