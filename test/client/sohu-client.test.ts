import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import {
  type GenerateRequest,
  type KvEventBatch,
  RpcError,
  SohuClient,
} from '../../services/client/index.ts';
import type { GenerateEvent, TokensEvent } from '../../services/rpc/inference-types.ts';
import { DEFAULT_SAMPLING } from '../../services/rpc/request-sampling.ts';
import { COMPLETE, CountingEngine, SERVER_INFO } from './counting-engine.ts';
import { makeMemoryWorld, WORLDS } from './worlds.ts';

for (const [name, makeWorld] of Object.entries(WORLDS)) {
  suite(`the client over ${name}`, () => {
    test('generates a whole completion', async (t) => {
      const engine = new CountingEngine();
      const world = await makeWorld(t, engine);
      if (world === undefined) return;
      const request = { prompt: 'Once', requestId: 'r', maxTokens: 3, temperature: 0.7, seed: 0 };
      const { kind: _, ...complete } = COMPLETE;
      const usage = { promptTokens: 2, completionTokens: 3, cachedTokens: 1 };
      const choice = { ...complete, text: '0 1 2 ', tokenIds: [0, 1, 2], logprobs: [], usage };
      assert.deepEqual(await world.client.generate(request), {
        requestId: 'r',
        promptLogprobs: [],
        choices: [choice],
        seed: 0,
        usage,
        timings: COMPLETE.timings,
      });
      const sampling = { ...DEFAULT_SAMPLING, temperature: 0.7, maxTokens: 3, seed: 0 };
      const prompt = { kind: 'text', text: 'Once' };
      assert.deepEqual(engine.inputs, [
        { requestId: 'r', prompt, sampling, priority: 0, cacheSalt: '', clientId: '' },
      ]);
    });

    test('carries every field of a request', async (t) => {
      const engine = new CountingEngine();
      const world = await makeWorld(t, engine);
      if (world === undefined) return;
      const sampling = {
        ...{ temperature: 0.5, topP: 0.9, topK: 40, minP: 0.1, seed: 9 },
        ...{ repetitionPenalty: 1.1, presencePenalty: -0.5, frequencyPenalty: 0.25 },
        ...{ maxTokens: 4, minTokens: 2, ignoreEos: false, n: 2, logprobs: 3 },
        promptLogprobs: 4,
        ...{ stop: ['\n\n', 'Ende'], stopTokenIds: [7, 8], includeStopStrInOutput: true },
      };
      const names = { requestId: 'r', priority: -3, cacheSalt: 'pepper', clientId: 'me' };
      const logitBias = { 12: -100, 7: 3.5 };
      const structuredOutputs = { json: { type: 'object' } };
      const { promptLogprobs } = await world.client.generate({
        prompt: [5],
        ...names,
        ...sampling,
        logitBias,
        structuredOutputs,
      });
      const top = [{ token: 8, logprob: -0.25 }];
      assert.deepEqual(promptLogprobs, [{ token: 9, logprob: -0.5, top }]);
      const biases = [
        { token: 7, bias: 3.5 },
        { token: 12, bias: -100 },
      ];
      assert.deepEqual(engine.inputs, [
        {
          ...names,
          prompt: { kind: 'tokens', tokenIds: [5] },
          sampling: {
            ...{ ...sampling, logitBias: biases },
            constraint: { kind: 'jsonSchema', schema: '{"type":"object"}' },
          },
        },
      ]);
    });

    test('collects the samples of a request in their order', async (t) => {
      const world = await makeWorld(t, new CountingEngine());
      if (world === undefined) return;
      const request = { prompt: '', n: 3, maxTokens: 2, logprobs: 0 };
      const { choices, usage, timings } = await world.client.generate(request);
      assert.deepEqual(
        choices.map(({ index }) => index),
        [0, 1, 2],
      );
      for (const choice of choices) {
        assert.deepEqual([choice.text, choice.tokenIds], ['0 1 ', [0, 1]]);
        assert.deepEqual(choice.logprobs, [
          { logprob: -0, top: [] },
          { logprob: -1, top: [] },
        ]);
      }
      assert.deepEqual(usage, { promptTokens: 2, completionTokens: 6, cachedTokens: 1 });
      assert.equal(timings.e2eMs, COMPLETE.timings.e2eMs + 2, 'of the sample that ended last');
    });

    test('streams, takes token ids, and learns the seed', async (t) => {
      const engine = new CountingEngine();
      const world = await makeWorld(t, engine);
      if (world === undefined) return;
      const events: GenerateEvent[] = [];
      const stream = world.client.generateStream({ prompt: [5, 4_095], maxTokens: 1 });
      for await (const event of stream) events.push(event);
      assert.deepEqual(events, [
        {
          kind: 'accepted',
          requestId: engine.inputs[0]!.requestId,
          promptTokens: 2,
          seed: 77,
        },
        {
          kind: 'tokens',
          index: 0,
          tokenIds: [0],
          text: '0 ',
          firstTokenIndex: 0,
          isLast: false,
          logprobs: [],
        },
        { ...COMPLETE, usage: { ...COMPLETE.usage, completionTokens: 1 } },
      ]);
      assert.deepEqual(engine.inputs[0]!.prompt, { kind: 'tokens', tokenIds: [5, 4_095] });
    });

    test('cancels by leaving the loop, by signal and by deadline', async (t) => {
      const engine = new CountingEngine();
      const world = await makeWorld(t, engine);
      if (world === undefined) return;
      const { client, server } = world;
      for await (const event of client.generateStream({ prompt: '', requestId: 'left' })) {
        if (event.kind === 'tokens' && event.firstTokenIndex === 5) break;
      }
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const cancelled = client.generate({ prompt: '', requestId: 'cancelled' }, options);
      controller.abort();
      await assert.rejects(cancelled, { code: 'CANCELLED' });
      const late = client.generate({ prompt: '', requestId: 'late' }, { timeoutMs: 40 });
      await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' });
      while (server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
      for (const requestId of ['left', 'late']) assert.ok(engine.aborted.includes(requestId));
    });

    test('describes the server', async (t) => {
      const world = await makeWorld(t, new CountingEngine());
      if (world === undefined) return;
      assert.deepEqual(await world.client.serverInfo(), SERVER_INFO);
    });

    test('turns text into tokens and back', async (t) => {
      const world = await makeWorld(t, new CountingEngine());
      if (world === undefined) return;
      const { client } = world;
      assert.deepEqual(await client.tokenize('né'), [0x6e, 0xe9]);
      assert.equal(await client.detokenize([0x6e, 0xe9]), '>né');
      assert.equal(await client.detokenize([0x6e], { previousTokenId: 0 }), '0>n');
      await assert.rejects(client.detokenize([4_096]), { code: 'INVALID_ARGUMENT' });
    });

    test('follows KV events from a number, and notices a gap', async (t) => {
      const engine = new CountingEngine();
      const world = await makeWorld(t, engine);
      if (world === undefined) return;
      const batchOf = (sequenceNumber: number): KvEventBatch => ({
        sequenceNumber,
        timestampMs: 1.5,
        events: [{ kind: 'blockRemoved', hashes: [`${sequenceNumber}`] }],
      });
      const read = async (startSequenceNumber?: number): Promise<KvEventBatch[]> => {
        const options = startSequenceNumber === undefined ? {} : { startSequenceNumber };
        const batches: KvEventBatch[] = [];
        for await (const batch of world.client.kvEvents(options)) batches.push(batch);
        return batches;
      };
      engine.batches = [0, 1, 2].map(batchOf);
      assert.deepEqual(await read(1), [1, 2].map(batchOf));
      assert.deepEqual(await read(), engine.batches);
      engine.batches = [0, 1, 3].map(batchOf);
      await assert.rejects(read(0), { code: 'DATA_LOSS', message: /batch 3 where batch 2/ });
      engine.batches = [batchOf(1)];
      await assert.rejects(read(0), { code: 'DATA_LOSS', message: /batch 1 where batch 0/ });
    });

    test('the server refuses parameters out of range by the name of the field', async (t) => {
      const engine = new CountingEngine();
      const world = await makeWorld(t, engine);
      if (world === undefined) return;
      const bad: [Partial<GenerateRequest>, RegExp][] = [
        [{ temperature: -1 }, /temperature/],
        [{ temperature: Number.NaN }, /temperature/],
        [{ topP: 0 }, /top_p/],
        [{ topP: 1.1 }, /top_p/],
        [{ topK: -2 }, /top_k/],
        [{ maxTokens: 0 }, /max_tokens/],
        [{ maxTokens: -1 }, /max_tokens/],
        [{ minTokens: -1 }, /min_tokens/],
        [{ maxTokens: 4, minTokens: 5 }, /min_tokens must be at most max_tokens/],
        [{ minP: -0.1 }, /min_p/],
        [{ minP: 1.1 }, /min_p/],
        [{ repetitionPenalty: 0 }, /repetition_penalty/],
        [{ presencePenalty: 2.1 }, /presence_penalty/],
        [{ frequencyPenalty: Number.NaN }, /frequency_penalty/],
        [{ logitBias: { 5: 101 } }, /logit_bias\[5\] must be between -100 and 100, not 101/],
        [{ logitBias: Object.fromEntries(Array(1025).fill(1).entries()) }, /logit_bias/],
        [{ logprobs: -1 }, /logprobs/],
        [{ promptLogprobs: 129 }, /prompt_logprobs must be a whole number from 0 to 128/],
        [{ logprobs: 129 }, /logprobs must be a whole number from 0 to 128/],
        [{ n: 0 }, /n must be a whole number from 1 to 128/],
        [{ n: 129 }, /n must/],
        [{ stop: [''] }, /stop\[0\] must have 1 to 256 characters/],
        [{ stop: ['x'.repeat(257)] }, /stop\[0\] must have 1 to 256 characters/],
        [{ stop: Array(17).fill('x') }, /stop must have at most 16 texts/],
        [{ stopTokenIds: Array(129).fill(1) }, /stop_token_ids must have at most 128 ids/],
        [{ cacheSalt: 'x'.repeat(257) }, /cache_salt/],
        [{ clientId: 'x'.repeat(129) }, /client_id/],
        [{ requestId: '' }, /request_id/],
      ];
      for (const [parameters, message] of bad) {
        const answer = world.client.generate({ prompt: '', ...parameters });
        await assert.rejects(answer, { name: 'RpcError', code: 'INVALID_ARGUMENT', message });
      }
      assert.deepEqual(engine.inputs, []);
    });
  });
}

test('the client refuses what the wire cannot carry, before it is sent', async () => {
  const client = SohuClient.over(new MemoryBroker().connect());
  const bad: [Record<string, unknown>, RegExp][] = [
    [{ prompt: 5 }, /^prompt must/],
    [{ prompt: [1, -1] }, /^prompt\[1\] must/],
    [{ prompt: [0.5] }, /^prompt\[0\] must/],
    [{ requestId: 1 }, /^requestId must/],
    [{ temperature: '1' }, /^temperature must/],
    [{ topP: true }, /^topP must/],
    [{ topK: 2.5 }, /^topK must/],
    [{ maxTokens: 1e12 }, /^maxTokens must/],
    [{ seed: -1 }, /^seed must/],
    [{ ignoreEos: 1 }, /^ignoreEos must/],
    [{ minP: '0' }, /^minP must/],
    [{ n: 1.5 }, /^n must/],
    [{ stop: 'x' }, /^stop must be an array/],
    [{ stop: [1] }, /^stop\[0\] must/],
    [{ stopTokenIds: [-1] }, /^stopTokenIds\[0\] must/],
    [{ logitBias: [1] }, /^logitBias must/],
    [{ logitBias: { x: 1 } }, /^logitBias must be an object of token ids/],
    [{ logitBias: { 1: 'x' } }, /^logitBias\[1\] must/],
    [{ structuredOutputs: {} }, /^structuredOutputs must be an object with exactly one of/],
    [{ structuredOutputs: { regex: 'a', json: {} } }, /^structuredOutputs must/],
    [{ structuredOutputs: { xml: 'a' } }, /^structuredOutputs must/],
    [{ structuredOutputs: { regex: 1 } }, /^structuredOutputs.regex must/],
    [{ structuredOutputs: { choice: [1] } }, /^structuredOutputs.choice\[0\] must/],
    [{ priority: 2 ** 31 }, /^priority must/],
    [{ cacheSalt: 1 }, /^cacheSalt must/],
  ];
  for (const [parameters, message] of bad) {
    const request = { prompt: '', ...parameters } as unknown as GenerateRequest;
    await assert.rejects(client.generate(request), { code: 'INVALID_ARGUMENT', message });
  }
});

suite('a generation that is not whole is DATA_LOSS', () => {
  const accepted = { kind: 'accepted', requestId: 'r', promptTokens: 1, seed: 0 } as const;
  const tokensOf = (index: number): TokensEvent => {
    const ids = { tokenIds: [1, 2], firstTokenIndex: 0, isLast: true };
    return { kind: 'tokens', index, ...ids, text: 'a', logprobs: [] };
  };
  const completeOf = (index: number) => {
    return { ...COMPLETE, index, usage: { ...COMPLETE.usage, completionTokens: 2 } };
  };
  const engine = new CountingEngine();
  const { client } = makeMemoryWorld(engine);

  async function assertBroken(n: number, whole: GenerateEvent[], broken: GenerateEvent[][]) {
    let events = whole;
    engine.generate = async function* () {
      yield* events;
    };
    const { choices } = await client.generate({ prompt: '', n });
    for (const choice of choices) assert.deepEqual(choice.tokenIds, [1, 2]);
    assert.equal(choices.length, n);
    for (const each of broken) {
      events = each;
      await assert.rejects(client.generate({ prompt: '', n }), { code: 'DATA_LOSS' });
    }
  }

  test('with log-probabilities of the prompt', async () => {
    const prompted = { ...accepted, promptTokens: 3 };
    const told = (firstTokenIndex: number, count: number): GenerateEvent => ({
      ...{ kind: 'promptLogprobs', firstTokenIndex },
      logprobs: Array.from({ length: count }, () => ({ token: 1, logprob: -1, top: [] })),
    });
    const end = [tokensOf(0), completeOf(0)];
    let events: GenerateEvent[] = [prompted, told(1, 1), told(2, 1), ...end];
    engine.generate = async function* () {
      yield* events;
    };
    const request = { prompt: '', promptLogprobs: 0 };
    assert.equal((await client.generate(request)).promptLogprobs.length, 2);
    for (const broken of [
      [prompted, ...end],
      [prompted, told(1, 1), ...end],
      [prompted, told(1, 3), ...end],
      [prompted, told(2, 1), told(1, 1), ...end],
      [prompted, told(1, 2), told(1, 2), ...end],
      [told(1, 2), prompted, ...end],
    ]) {
      events = broken;
      await assert.rejects(client.generate(request), { code: 'DATA_LOSS' });
    }
    events = [prompted, told(1, 2), ...end];
    await assert.rejects(client.generate({ prompt: '' }), { code: 'DATA_LOSS' }, 'nobody asked');
  });

  test('with one sample', () => {
    const [tokens, complete] = [tokensOf(0), completeOf(0)];
    return assertBroken(
      1,
      [accepted, tokens, complete],
      [
        [],
        [accepted],
        [accepted, tokens],
        [tokens, complete],
        [accepted, accepted, tokens, complete],
        [accepted, tokens, tokens, complete],
        [accepted, { ...tokens, firstTokenIndex: 1 }, complete],
        [accepted, { ...tokens, logprobs: [{ logprob: -1, top: [] }] }, complete],
        [accepted, complete],
        [accepted, tokens, complete, complete],
        [accepted, tokens, complete, tokens],
        [accepted, tokensOf(1), completeOf(1)],
        [accepted, tokens, complete, tokensOf(1), completeOf(1)],
      ],
    );
  });

  test('with two samples', () => {
    const [first, second] = [tokensOf(0), tokensOf(1)];
    const [firstEnd, secondEnd] = [completeOf(0), completeOf(1)];
    return assertBroken(
      2,
      [accepted, second, secondEnd, first, firstEnd],
      [
        [accepted, first, second, firstEnd],
        [accepted, first, firstEnd, firstEnd, second],
        [accepted, first, firstEnd, first, second, secondEnd],
        [accepted, first, first, firstEnd, secondEnd],
        [accepted, first, firstEnd, second, secondEnd, tokensOf(2), completeOf(2)],
      ],
    );
  });
});

test('an address without a broker is UNAVAILABLE', async () => {
  // Nobody listens on the discard port.
  await assert.rejects(SohuClient.connect('nats://127.0.0.1:9'), (error) => {
    return error instanceof RpcError && error.code === 'UNAVAILABLE';
  });
});
