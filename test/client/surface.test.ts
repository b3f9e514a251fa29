import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import type { ErrorDetail, GenerateRequest, ServingStatus } from '../../services/client/index.ts';
import { RpcError, SohuClient } from '../../services/client/index.ts';
import { overloaded } from '../../services/rpc/overloaded.ts';
import type { ServerInterceptor } from '../../services/rpc/served-method.ts';
import { CountingEngine, SERVER_INFO } from './counting-engine.ts';
import { makeMemoryWorld, WORLDS } from './worlds.ts';

/** Sends the metadata of a call back as its headers and trailers. */
const echoing: ServerInterceptor = (call, next) => {
  for (const [name, value] of call.context.metadata) {
    call.context.setHeader(name, value);
    call.context.setTrailer(name, value);
  }
  return next(call);
};

/** Fails so many calls before their first answer. */
function failing(count: number, error: RpcError): ServerInterceptor {
  let left = count;
  return (call, next) => {
    if (left-- > 0) throw error;
    return next(call);
  };
}

for (const [name, makeWorld] of Object.entries(WORLDS)) {
  suite(`the client over ${name}`, () => {
    test('carries metadata with every call, and hands on headers and trailers', async (t) => {
      const world = await makeWorld(t, new CountingEngine(), { interceptors: [echoing] });
      if (world === undefined) return;
      const { client } = world;
      const calls: Record<string, (options: object) => Promise<unknown>> = {
        generate: (options) => client.generate({ prompt: '', maxTokens: 1 }, options),
        generateStream: (options) => {
          return drain(client.generateStream({ prompt: '', maxTokens: 1 }, options));
        },
        tokenize: (options) => client.tokenize('', options),
        detokenize: (options) => client.detokenize([65], options),
        models: (options) => client.models(options),
        serverInfo: (options) => client.serverInfo(options),
        health: (options) => client.health(options),
        abort: (options) => client.abort('none', options),
        kvEvents: (options) => drain(client.kvEvents(options)),
      };
      const metadata = new Map([['team', 'red']]);
      for (const [call, run] of Object.entries(calls)) {
        const seen: unknown[] = [];
        const take = (entries: unknown) => seen.push(entries);
        await run({ metadata, onHeader: take, onTrailer: take });
        assert.deepEqual(seen, [metadata, metadata], call);
      }
    });

    test('says which models are served', async (t) => {
      const world = await makeWorld(t, new CountingEngine());
      if (world === undefined) return;
      const { maxContextLength, vocabSize, eosTokenIds, precision } = SERVER_INFO;
      assert.deepEqual(await world.client.models(), [
        { name: 'toy', precision, maxContextLength, vocabSize, eosTokenIds },
      ]);
    });

    test('asks for health, and follows it', async (t) => {
      const world = await makeWorld(t, new CountingEngine());
      if (world === undefined) return;
      const { client, health, server } = world;
      const service = 'sohu.v1.Inference';
      await assert.rejects(client.health({ service }), { code: 'NOT_FOUND' });
      assert.equal(await client.health(), 'SERVING');
      const seen: ServingStatus[] = [];
      health.set(service, 'NOT_SERVING');
      for await (const status of client.watchHealth({ service })) {
        seen.push(status);
        if (status === 'SERVING') break;
        health.set(service, 'SERVING');
      }
      assert.deepEqual(seen, ['NOT_SERVING', 'SERVING']);
      while (server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
    });

    test('ends requests by their names', async (t) => {
      const engine = new CountingEngine();
      const world = await makeWorld(t, engine);
      if (world === undefined) return;
      assert.equal(await world.client.abort('a'), 1);
      assert.equal(await world.client.abort(['b', 'c']), 2);
      assert.deepEqual(engine.abortedNames, ['a', 'b', 'c']);
      for (const names of [[], Array<string>(1025).fill('x')]) {
        const message = /request_ids must have 1 to 1024 names/;
        await assert.rejects(world.client.abort(names), { code: 'INVALID_ARGUMENT', message });
      }
    });

    test('tries again what failed before its first answer, unless it is told not to', async (t) => {
      const unavailable = new RpcError('UNAVAILABLE', 'not yet');
      for (const retry of [undefined, false] as const) {
        const world = await makeWorld(t, new CountingEngine(), {
          interceptors: [failing(2, unavailable)],
          client: { ...(retry === false && { retry }) },
        });
        if (world === undefined) return;
        const answer = world.client.generate({ prompt: '', maxTokens: 1 });
        if (retry === false) await assert.rejects(answer, { code: 'UNAVAILABLE' });
        else assert.equal((await answer).choices.length, 1);
      }
    });

    test('refusals say which limit was met and when to come back', async (t) => {
      const error = overloaded({ subject: 'model:toy', description: 'the queue is full' });
      const world = await makeWorld(t, new CountingEngine(), {
        interceptors: [failing(1, error)],
        client: { retry: false },
      });
      if (world === undefined) return;
      await assert.rejects(world.client.serverInfo(), (thrown) => {
        assert.ok(thrown instanceof RpcError);
        assert.equal(thrown.code, 'RESOURCE_EXHAUSTED');
        assert.deepEqual(thrown.details, error.details);
        return true;
      });
    });
  });
}

suite('an invalid field is named in the details of the error', () => {
  const violationOf = async (request: Partial<GenerateRequest>): Promise<string | undefined> => {
    const { client } = makeMemoryWorld(new CountingEngine());
    const error: RpcError = await client.generate({ prompt: '', ...request }).then(
      () => assert.fail(),
      (thrown) => thrown,
    );
    assert.equal(error.code, 'INVALID_ARGUMENT');
    const isBadRequest = (detail: ErrorDetail) => detail.kind === 'badRequest';
    const [violation] = error.details.find(isBadRequest)?.fieldViolations ?? [];
    assert.equal(violation?.description, error.message);
    return violation?.field;
  };

  test('by the server, as the wire calls it', async () => {
    const cases: Record<string, Partial<GenerateRequest>> = {
      temperature: { temperature: -1 },
      top_p: { topP: 0 },
      top_k: { topK: -2 },
      min_p: { minP: 2 },
      presence_penalty: { presencePenalty: 3 },
      frequency_penalty: { frequencyPenalty: 3 },
      repetition_penalty: { repetitionPenalty: 0 },
      'logit_bias[5]': { logitBias: { 5: 101 } },
      logprobs: { logprobs: 129 },
      max_tokens: { maxTokens: 0 },
      min_tokens: { minTokens: -1 },
      n: { n: 129 },
      stop: { stop: Array<string>(17).fill('x') },
      'stop[1]': { stop: ['x', ''] },
      stop_token_ids: { stopTokenIds: Array<number>(129).fill(1) },
      cache_salt: { cacheSalt: 'x'.repeat(257) },
      client_id: { clientId: 'x'.repeat(129) },
      request_id: { requestId: '' },
    };
    for (const [field, request] of Object.entries(cases)) {
      assert.equal(await violationOf(request), field);
    }
  });

  test('by the client, as the program calls it', async () => {
    assert.equal(await violationOf({ maxTokens: 0.5 }), 'maxTokens');
    assert.equal(await violationOf({ stop: [1 as never] }), 'stop[0]');
    assert.equal(await violationOf({ logitBias: { x: 1 } as never }), 'logitBias');
  });
});

test('options that cannot be are INVALID_ARGUMENT', () => {
  const bus = new MemoryBroker().connect();
  const invalid = { code: 'INVALID_ARGUMENT' };
  assert.throws(() => SohuClient.over(bus, { cluster: 'a.b' }), invalid);
  assert.throws(() => SohuClient.over(bus, { retry: { policy: { maxAttempts: 6 } } }), invalid);
});

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
