import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { SohuClient } from '../../services/client/index.ts';
import { natsServerBinary } from '../support/broker.ts';
import { makeCliEnvironment, runCli } from '../support/cli.ts';
import { startLiveCluster, until } from '../support/live-cluster.ts';
import { ask, collect, dynamicClient, loadProtos } from './grpc-client.ts';

const PROMPT = 'Once upon a time';
const PROTOS = loadProtos();

test('sohu up --grpc-port serves clients of gRPC', async (t) => {
  const cluster = await startLiveCluster(t, ['--tp', '2', '--grpc-port', '0']);
  if (cluster === undefined) return;
  const address = /^gRPC +(\S+)/m.exec(cluster.addresses)![1]!;
  const grpc = dynamicClient(PROTOS, 'sohu.v1.Inference', address);
  const health = dynamicClient(PROTOS, 'grpc.health.v1.Health', address);
  const sdk = await SohuClient.connect(cluster.natsUrl);
  t.after(async () => {
    grpc.close();
    health.close();
    await sdk.close();
  });
  const hbmBytes = async () => {
    const { chips } = await ask(grpc, 'GetServerInfo', {});
    return chips.reduce(
      (sum: number, chip: { hbm_bytes_used: number }) => sum + chip.hbm_bytes_used,
      0,
    );
  };
  const idleBytes = await hbmBytes();
  const isIdle = async () => (await hbmBytes()) === idleBytes;
  const long = {
    request_id: 'long',
    text: PROMPT,
    sampling_params: { max_tokens: 400, ignore_eos: true },
  };

  await t.test('the group says that it serves', async () => {
    for (const service of ['', 'sohu.v1.Inference']) {
      assert.equal((await ask(health, 'Check', { service })).status, 'SERVING');
    }
  });

  await t.test(
    'equal requests with equal seeds have one text, by gRPC, SDK, HTTP and sohu run',
    async () => {
      const request = { prompt: PROMPT, maxTokens: 40, temperature: 1, topP: 0.9, seed: 7 };
      const { choices } = await sdk.generate(request);
      const params = { max_tokens: 40, temperature: 1, top_p: 0.9, seed: 7 };
      const responses = await collect(
        grpc.Generate({ request_id: 'r', text: PROMPT, sampling_params: params }),
      );
      const text = responses.map(({ chunk }) => chunk?.text ?? '').join('');
      const args = ['--max-tokens', '40', '--temperature', '1', '--top-p', '0.9', '--seed', '7'];
      const { stdout } = await runCli(t, cluster.env, ['run', ...args, PROMPT]);
      assert.equal(text, choices[0]!.text);
      assert.equal(`${text}\n`, stdout);
      const url = /^HTTP +(\S+)/m.exec(cluster.addresses)![1]!;
      const body = JSON.stringify({ model: 'tinystories-5m', prompt: PROMPT, ...params });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/completions`, { method: 'POST', headers, body });
      const completion = (await answer.json()) as { choices: { text: string }[] };
      assert.equal(completion.choices[0]!.text, text);
    },
  );

  await t.test('leaving a stream and its deadline free keys and values', async () => {
    const left = grpc.Generate(long);
    left.on('error', () => {});
    await once(left, 'data');
    await until('keys and values are held', async () => !(await isIdle()));
    left.cancel();
    await until('the blocks are free', isIdle);
    const late = grpc.Generate(long, new Metadata(), { deadline: Date.now() + 200 });
    await assert.rejects(collect(late), { code: status.DEADLINE_EXCEEDED });
    await until('the blocks are free', isIdle);
  });

  await t.test(
    'a stream whose coordinator is killed is UNAVAILABLE, and the next one served',
    async () => {
      const cut = grpc.Generate(long);
      const read = collect(cut);
      await once(cut, 'data');
      process.kill(cluster.pidOf('sohu: coordinator'), 'SIGKILL');
      await assert.rejects(read, { code: status.UNAVAILABLE });
      await until('the group serves', async () => {
        const short = { ...long, sampling_params: { max_tokens: 1 } };
        const answer = await collect(grpc.Generate(short)).catch(() => []);
        return answer.length > 0;
      });
    },
  );
});

test('a port that is taken ends sohu up with exit code 5', async (t) => {
  if ((await natsServerBinary(t)) === undefined) return;
  const holder = createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const args = ['up', '--no-demo', '--tp', '1', '--port', '0', '--grpc-port', String(port)];
  const { code, stderr } = await runCli(t, makeCliEnvironment(t), args);
  assert.equal(code, 5, stderr);
  assert.match(stderr, new RegExp(`gRPC cannot be served at port ${port} of 127.0.0.1`));
});
