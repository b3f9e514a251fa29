import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { RpcError, SohuClient } from '../../services/client/index.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { heapBytes } from '../rpc/heap.ts';
import { listDescendants, runCli } from '../support/cli.ts';
import { type LiveCluster, startLiveCluster, until } from '../support/live-cluster.ts';

const PROMPT = 'Once upon a time';
/** More than a second of work, so that it is cut in the middle. */
const LONG = { prompt: PROMPT, maxTokens: 400, temperature: 0, ignoreEos: true };
const STREAMS = 1_000;
const MEBIBYTE = 2 ** 20;

async function connect(t: TestContext, { natsUrl }: LiveCluster): Promise<SohuClient> {
  const client = await SohuClient.connect(natsUrl);
  t.after(() => client.close());
  return client;
}

/** What the chips hold: weights, activations and the keys and values of running sequences. */
async function hbmBytesUsed(client: SohuClient): Promise<number> {
  const { chips } = await client.serverInfo();
  return chips.reduce((sum, chip) => sum + chip.hbmBytesUsed, 0);
}

async function stepsSoFar(client: SohuClient): Promise<number> {
  return (await client.serverInfo()).chips[0]!.steps;
}

/** The program of the README, talking to the cluster. */
function readmeProgram(natsUrl: string): string {
  const readme = readFileSync(packagePath('README.md'), 'utf8');
  const programs = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, program]) => program!);
  const program = programs.find((each) => each.includes('SohuClient.connect'))!;
  return program.replace('nats://127.0.0.1:4222', natsUrl);
}

test('programs use a cluster of real processes through the SDK', async (t) => {
  const cluster = await startLiveCluster(t, ['--tp', '2']);
  if (cluster === undefined) return;
  const client = await connect(t, cluster);
  const idleBytes = await hbmBytesUsed(client);
  const isIdle = async () => (await hbmBytesUsed(client)) === idleBytes;

  await t.test('the program of the README streams a story', async () => {
    const program = readmeProgram(cluster.natsUrl);
    assert.ok(program.trim().split('\n').length <= 10, program);
    const args = ['--input-type=module', '--eval', program];
    const cwd = packagePath('.');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd });
    assert.equal(stderr, '');
    assert.match(stdout, /^, there was .{50}/s);
  });

  await t.test('the group says that it serves', async () => {
    assert.equal(await client.health(), 'SERVING');
    assert.equal(await client.health({ service: 'sohu.v1.Inference' }), 'SERVING');
    assert.deepEqual(
      (await client.models()).map(({ name }) => name),
      ['tinystories-5m'],
    );
  });

  await t.test('equal requests with equal seeds have the text of sohu run', async () => {
    const request = { prompt: PROMPT, maxTokens: 40, temperature: 1, topP: 0.9, seed: 7 };
    const { choices } = await client.generate(request);
    let streamed = '';
    for await (const event of client.generateStream(request)) {
      if (event.kind === 'tokens') streamed += event.text;
    }
    const args = ['--max-tokens', '40', '--temperature', '1', '--top-p', '0.9', '--seed', '7'];
    const { stdout } = await runCli(t, cluster.env, ['run', ...args, PROMPT]);
    assert.equal(choices[0]!.text, streamed);
    assert.equal(`${streamed}\n`, stdout);
  });

  await t.test('leaving the loop frees keys and values', async () => {
    const before = await stepsSoFar(client);
    let held = 0;
    for await (const event of client.generateStream({ ...LONG, n: 4 })) {
      if (event.kind !== 'tokens' || event.firstTokenIndex < 8) continue;
      held = (await hbmBytesUsed(client)) - idleBytes;
      break;
    }
    await until('the blocks are free', isIdle);
    const steps = (await stepsSoFar(client)) - before;
    assert.ok(held > 0, 'keys and values were held');
    assert.ok(steps < LONG.maxTokens / 4, `${steps} steps`);
    t.diagnostic(`leaving at token 9 freed ${held} bytes after ${steps} steps in all`);
  });

  await t.test('a deadline of 200 ms ends the call and frees keys and values', async () => {
    const before = await stepsSoFar(client);
    let tokens = 0;
    const read = async () => {
      for await (const event of client.generateStream(LONG, { timeoutMs: 200 })) {
        if (event.kind === 'tokens') tokens += event.tokenIds.length;
      }
    };
    await assert.rejects(read(), { name: 'RpcError', code: 'DEADLINE_EXCEEDED' });
    await until('the blocks are free', isIdle);
    const steps = (await stepsSoFar(client)) - before;
    assert.ok(
      tokens < LONG.maxTokens && steps < LONG.maxTokens,
      `${tokens} tokens, ${steps} steps`,
    );
  });

  await t.test(
    'anybody who knows its name aborts a request, and its stream ends well',
    async () => {
      const other = await connect(t, cluster);
      const ends: string[] = [];
      for await (const event of client.generateStream({ ...LONG, requestId: 'mine', n: 2 })) {
        if (event.kind === 'tokens' && event.firstTokenIndex === 4 && event.index === 1) {
          assert.equal(await other.abort('mine'), 1);
        }
        if (event.kind === 'complete') ends.push(event.finishReason);
      }
      assert.deepEqual(ends, ['abort', 'abort']);
      assert.equal(await other.abort('mine'), 0);
      await until('the blocks are free', isIdle);
    },
  );

  await t.test(`${STREAMS} streams hold on one connection, in bounded memory`, async () => {
    const coordinator = cluster.pidOf('sohu: coordinator');
    const residentBefore = residentBytes(coordinator);
    const heapBefore = heapBytes();
    const request = { prompt: PROMPT, maxTokens: 8, temperature: 0, ignoreEos: true };
    const texts = await Promise.all(
      Array.from({ length: STREAMS }, async () => {
        let text = '';
        for await (const event of client.generateStream(request)) {
          if (event.kind === 'tokens') text += event.text;
        }
        return text;
      }),
    );
    assert.equal(new Set(texts).size, 1, 'a text does not depend on its company');
    assert.match(texts[0]!, /^, there was/);
    await until('the blocks are free', isIdle);
    const grown = (heapBytes() - heapBefore) / MEBIBYTE;
    assert.ok(grown < 16, `the client holds ${grown} MiB more`);
    const resident = (residentBytes(coordinator) - residentBefore) / MEBIBYTE;
    assert.ok(resident < 256, `the coordinator takes ${resident} MiB more`);
    t.diagnostic(
      `${STREAMS} streams: client +${grown.toFixed(1)} MiB, coordinator +${resident.toFixed(0)} MiB`,
    );
  });
});

suite('a coordinator of sohu up that is killed by SIGKILL', () => {
  test('is started anew, and streams go on where they stand', async (t) => {
    const cluster = await startLiveCluster(t, ['--tp', '1']);
    if (cluster === undefined) return;
    const client = await connect(t, cluster);
    const undisturbed = await client.generate(LONG);
    const metrics = () => fetch(/^Metrics +(http:\S+)/m.exec(cluster.addresses)![1]!);
    const first = cluster.pidOf('sohu: coordinator');
    const tokenIds: number[] = [];
    for await (const event of client.generateStream(LONG)) {
      if (event.kind !== 'tokens') continue;
      tokenIds.push(...event.tokenIds);
      if (tokenIds.length === 8) process.kill(first, 'SIGKILL');
    }
    assert.deepEqual(tokenIds, undisturbed.choices[0]!.tokenIds);
    assert.notEqual(cluster.pidOf('sohu: coordinator'), first);
    assert.equal((await metrics()).status, 200, 'at the address that was printed');
    assert.match(cluster.up.printed('stderr'), /coordinator \(pid \d+\) ended by SIGKILL\n/);
  });

  test('is UNAVAILABLE and never a short answer to clients that do not want to go on', async (t) => {
    const cluster = await startLiveCluster(t, ['--tp', '1']);
    if (cluster === undefined) return;
    const client = await SohuClient.connect(cluster.natsUrl, { resume: false });
    t.after(() => client.close());
    let tokens = 0;
    const read = async () => {
      for await (const event of client.generateStream(LONG)) {
        assert.notEqual(event.kind, 'complete');
        if (event.kind !== 'tokens') continue;
        tokens += event.tokenIds.length;
        if (tokens === 8) process.kill(cluster.pidOf('sohu: coordinator'), 'SIGKILL');
      }
    };
    await assert.rejects(read(), (error) => {
      return error instanceof RpcError && error.code === 'UNAVAILABLE';
    });
    assert.ok(tokens >= 8 && tokens < LONG.maxTokens);
  });

  test('ends the cluster where it ends again before it serves', async (t) => {
    const cluster = await startLiveCluster(t, ['--tp', '1']);
    if (cluster === undefined) return;
    const first = cluster.pidOf('sohu: coordinator');
    process.kill(first, 'SIGKILL');
    let second: number | undefined;
    await until('another is started', () => {
      // Before it has its title, its program names it.
      const isOther = (each: { pid: number; title: string }) =>
        each.pid !== first && each.title.includes('coordinator');
      second = listDescendants(cluster.up.pid).find(isOther)?.pid;
      return second !== undefined;
    });
    process.kill(second!, 'SIGKILL');
    const { code, stderr } = await cluster.up.exited;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`error: the coordinator \\(pid ${second}\\) ended by SIGKILL`));
  });
});

/** Memory that a process takes up. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}
