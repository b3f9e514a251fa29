import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { RpcError } from '../../../services/client/index.ts';
import { SETTINGS, startGateway } from '../../gateway/make-gateway.ts';
import { accepted, complete, StandInEngine, tokens } from '../../gateway/stand-in-engine.ts';
import { makeCliEnvironment, runCli } from '../../support/cli.ts';
import { startLiveCluster } from '../../support/live-cluster.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';

const SHORT = ['--isl', '8', '--osl', '4', '--num-prompts', '12'];

async function bench(t: TestContext, args: readonly string[], code = 0): Promise<string> {
  const exit = await runCli(t, makeCliEnvironment(t), ['bench', ...args]);
  assert.equal(exit.code, code, exit.stderr);
  return exit.stdout + (code === 0 ? '' : exit.stderr);
}

suite('sohu bench', () => {
  test('prints the block of vllm bench serve for completions and chats', async (t) => {
    const engine = new StandInEngine();
    const { url } = await startGateway(t, engine);
    for (const backend of ['openai', 'openai-chat']) {
      const args = ['--base-url', `${url}/v1/`, '--backend', backend, ...SHORT];
      const goals = ['--goodput', 'ttft:60000', 'tpot:60000'];
      const text = await bench(t, [...args, ...goals, '--request-rate', '500']);
      assert.match(text, /^tinystories-5m at http:.*: host time\n=+ Serving Benchmark Result =+\n/);
      assert.match(text, /^Successful requests: +12$/m);
      assert.match(text, /^Total generated tokens: +24$/m);
      assert.match(text, /^Request goodput \(req\/s\): +[1-9]/m);
      for (const name of ['TTFT', 'TPOT', 'ITL', 'E2EL']) {
        assert.match(text, new RegExp(`^Median ${name} \\(ms\\): +\\d`, 'm'));
      }
    }
    assert.equal(engine.requests.length, 24);
    const lengths = engine.requests.slice(0, 12).map(({ prompt }) => prompt.length);
    assert.deepEqual(lengths, new Array(12).fill(8));
    assert.ok(engine.requests.every(({ maxTokens, ignoreEos }) => maxTokens === 4 && ignoreEos));
  });

  test('counts refusals by status and cancelled requests apart; nothing served is a failure', async (t) => {
    const engine = new StandInEngine(async function* (request) {
      yield accepted(request);
      if (engine.requests.length % 2 === 0) throw new RpcError('UNAVAILABLE', 'no more');
      yield tokens(' a', { id: 500, at: 0 });
      yield complete(request, { completionTokens: 1 });
    });
    const { url } = await startGateway(t, engine, {
      settings: { ...SETTINGS, max_open_prompts: 1 },
    });
    const args = ['--base-url', url, ...SHORT, '--max-concurrency', '2', '--json'];
    const result = JSON.parse(await bench(t, args));
    assert.equal(result.completed + result.failed, 12);
    assert.ok(result.failed > 0 && result.completed > 0, JSON.stringify(result));
    for (const label of Object.keys(result.failures)) assert.match(label, /^(429|503)$/);
    const none = ['--base-url', url, '--cancellation-rate', '1', '--cancellation-delay', '0'];
    const text = await bench(t, [...none, ...SHORT], 1);
    assert.match(text, /^Cancelled requests: +12$/m);
  });

  test('a stream that is cut is a failure, whatever came of it', async (t) => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/event-stream');
      response.write('data: {"choices":[{"text":"a"}]}\n\n');
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const text = await bench(t, ['--base-url', url, '--model', 'any', ...SHORT], 1);
    assert.match(text, /^Failed with cut: 12, the stream ended without \[DONE\]$/m);
  });

  test('sends the prompts of a file, in turn', async (t) => {
    const engine = new StandInEngine();
    const { url } = await startGateway(t, engine);
    const path = join(makeTemporaryDirectory(t), 'prompts.jsonl');
    writeFileSync(path, '{"prompt": "Once", "output_tokens": 3}\n{"prompt": "The dog"}\n');
    await bench(t, ['--base-url', url, '--dataset-file', path, '--num-prompts', '3', '--osl', '5']);
    assert.deepEqual(engine.requests.map(({ maxTokens }) => maxTokens).sort(), [3, 3, 5]);
    writeFileSync(path, '{"prompt": "Once"}\n{"output_tokens": 3}\n');
    const wrong = await bench(t, ['--base-url', url, '--dataset-file', path], 2);
    assert.match(wrong, /line 2 of .*prompts.jsonl: prompt must be a text, not missing/);
  });

  test('says what is missing where there is nothing to load', async (t) => {
    assert.match(
      await bench(t, SHORT, 2),
      /base_url must be given where no such cluster runs here/,
    );
    const dead = await bench(t, ['--base-url', 'http://127.0.0.1:1', ...SHORT], 1);
    assert.match(dead, /no server answers at http:\/\/127.0.0.1:1/);
  });

  test('loads the cluster that runs here, by HTTP and by the SDK, with equal answers to count', async (t) => {
    const cluster = await startLiveCluster(t, ['--tp', '2']);
    if (cluster === undefined) return;
    for (const backend of ['openai', 'sohu']) {
      const args = ['bench', '--backend', backend, ...SHORT, '--burstiness', '4', '--json'];
      const exit = await runCli(t, cluster.env, [...args, '--request-rate', '200']);
      assert.equal(exit.code, 0, exit.stderr);
      const result = JSON.parse(exit.stdout);
      assert.deepEqual(
        [result.completed, result.failed, result.total_input, result.total_output],
        [12, 0, 96, 48],
      );
      assert.ok(result.mean_e2el_ms > result.mean_ttft_ms && result.mean_ttft_ms > 0);
      assert.equal(result.clock, 'host');
    }
  });
});
