import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RpcError } from '../../services/client/index.ts';
import { StandInCluster } from '../../services/client/testing/index.ts';
import { CountingEngine, SERVER_INFO } from './counting-engine.ts';

suite('a stand-in cluster', () => {
  test('says what it is told to, in pieces', async () => {
    const cluster = new StandInCluster(({ prompt }) => ['Hello ', 'wörld', ` ${prompt.kind}`]);
    const client = cluster.connect();
    const pieces: string[] = [];
    for await (const event of client.generateStream({ prompt: 'Hi' })) {
      if (event.kind === 'tokens') pieces.push(event.text);
    }
    assert.deepEqual(pieces, ['Hello ', 'wörld', ' text']);
    const { choices, usage } = await client.generate({ prompt: 'Hi', n: 2, maxTokens: 8 });
    assert.deepEqual(
      choices.map(({ text, finishReason }) => [text, finishReason]),
      Array(2).fill(['Hello wö', 'length']),
    );
    assert.deepEqual(usage, { promptTokens: 2, completionTokens: 16, cachedTokens: 0 });
    assert.equal(await client.detokenize(choices[0]!.tokenIds), 'Hello wö');
    assert.deepEqual(await client.tokenize('wö'), [0x77, 0xf6]);
    await cluster.stop();
  });

  test('fails, is aborted and is left as a cluster is', async () => {
    const cluster = new StandInCluster(async function* ({ requestId }) {
      yield 'so far';
      if (requestId === 'bad') throw new RpcError('DATA_LOSS', 'a chip is gone');
      await new Promise(() => {});
    });
    const client = cluster.connect();
    await assert.rejects(client.generate({ prompt: '', requestId: 'bad' }), { code: 'DATA_LOSS' });
    const late = client.generate({ prompt: '' }, { timeoutMs: 20 });
    await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' });
    let finishReason = '';
    for await (const event of client.generateStream({ prompt: '', requestId: 'mine', n: 2 })) {
      if (event.kind === 'tokens') assert.equal(await client.abort('mine'), 1);
      if (event.kind === 'complete') finishReason += event.finishReason;
    }
    assert.equal(finishReason, 'abortabort');
    assert.equal(await client.abort('mine'), 0);
    for await (const event of client.generateStream({ prompt: '' })) {
      if (event.kind === 'tokens') break;
    }
    while (cluster.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
    cluster.health.set('sohu.v1.Inference', 'NOT_SERVING');
    assert.equal(await client.health({ service: 'sohu.v1.Inference' }), 'NOT_SERVING');
    const cut = client.generate({ prompt: '' });
    while (cluster.openCalls === 0) await new Promise((resolve) => setImmediate(resolve));
    await cluster.stop();
    await assert.rejects(cut, { code: 'UNAVAILABLE' });
  });

  test('takes an engine too', async () => {
    const cluster = new StandInCluster(new CountingEngine());
    assert.deepEqual(await cluster.connect().serverInfo(), SERVER_INFO);
    await cluster.stop();
  });
});
