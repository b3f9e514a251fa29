import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { Bus } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { type GenerateRequest, RpcError, SohuClient } from '../../services/client/index.ts';
import { type InferenceEngine, serveInference } from '../../services/rpc/inference-service.ts';
import type {
  CompleteEvent,
  GenerateEvent,
  GenerateInput,
  ServerInfo,
} from '../../services/rpc/inference-types.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { withBroker } from '../support/broker.ts';

const SERVER_INFO: ServerInfo = {
  modelName: 'toy',
  precision: 'fp8',
  tensorParallelSize: 2,
  serverType: 'sohu-emulator',
  version: '0.0.0',
  maxContextLength: 512,
  vocabSize: 4_096,
  eosTokenIds: [1, 2],
  kvBlocks: 64,
  maxNumSeqs: 8,
  chips: [0, 1].map((rank) => ({
    rank,
    pid: 100 + rank,
    weightBytes: 5e9,
    hbmBytesUsed: 6e9,
    hbmBytesTotal: 144e9,
    bytesSent: 1,
    bytesReceived: 2,
    computeMs: 0.5,
    communicationMs: 0.25,
    steps: 3,
    metricsAddress: '',
  })),
};

const COMPLETE: CompleteEvent = {
  kind: 'complete',
  finishReason: 'length',
  usage: { promptTokens: 2, completionTokens: 0, cachedTokens: 1 },
  timings: { queueMs: 1, prefillMs: 2.5, decodeMs: 4, e2eMs: 7.5 },
};

/** Answers with the numbers from 0 as tokens and as text. */
class CountingEngine implements InferenceEngine {
  readonly inputs: GenerateInput[] = [];
  readonly aborted: string[] = [];

  async *generate(input: GenerateInput, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.inputs.push(input);
    const { requestId, sampling } = input;
    signal.addEventListener('abort', () => this.aborted.push(requestId));
    const tokens = sampling.maxTokens ?? 1e9;
    yield { kind: 'accepted', requestId, promptTokens: 2, seed: sampling.seed ?? 77 };
    for (let i = 0; i < tokens && !signal.aborted; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      yield { kind: 'tokens', tokenIds: [i], text: `${i} `, firstTokenIndex: i };
    }
    yield { ...COMPLETE, usage: { ...COMPLETE.usage, completionTokens: tokens } };
  }

  serverInfo(): ServerInfo {
    return SERVER_INFO;
  }
}

function serve(bus: Bus, engine: InferenceEngine): RpcServer {
  const server = new RpcServer(bus, { cluster: 'sohu', serverId: 'server-1' });
  serveInference(server, engine);
  return server;
}

type MakeClient = (
  t: TestContext,
  engine: InferenceEngine,
) => Promise<{ client: SohuClient; server: RpcServer } | undefined>;

const WORLDS: Readonly<Record<string, MakeClient>> = {
  'the memory broker': async (_, engine) => {
    const broker = new MemoryBroker();
    return { server: serve(broker.connect(), engine), client: SohuClient.over(broker.connect()) };
  },
  'a NATS server': async (t, engine) => {
    const broker = await withBroker(t);
    if (broker === undefined) return undefined;
    const bus = await connectNats({ servers: broker.url, name: 'server' });
    const server = serve(bus, engine);
    await bus.flush();
    const client = await SohuClient.connect(broker.url);
    t.after(() => Promise.all([client.close(), bus.close()]));
    return { server, client };
  },
};

for (const [name, makeClient] of Object.entries(WORLDS)) {
  suite(`the client over ${name}`, () => {
    test('generates a whole completion', async (t) => {
      const engine = new CountingEngine();
      const world = await makeClient(t, engine);
      if (world === undefined) return;
      const request = { prompt: 'Once', requestId: 'r', maxTokens: 3, temperature: 0.7, seed: 0 };
      assert.deepEqual(await world.client.generate(request), {
        requestId: 'r',
        tokenIds: [0, 1, 2],
        text: '0 1 2 ',
        finishReason: 'length',
        seed: 0,
        usage: { promptTokens: 2, completionTokens: 3, cachedTokens: 1 },
        timings: COMPLETE.timings,
      });
      const sampling = {
        temperature: 0.7,
        topP: 1,
        topK: 0,
        maxTokens: 3,
        seed: 0,
        ignoreEos: false,
      };
      assert.deepEqual(engine.inputs, [
        { requestId: 'r', prompt: { kind: 'text', text: 'Once' }, sampling },
      ]);
    });

    test('streams, takes token ids, and learns the seed', async (t) => {
      const engine = new CountingEngine();
      const world = await makeClient(t, engine);
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
        { kind: 'tokens', tokenIds: [0], text: '0 ', firstTokenIndex: 0 },
        { ...COMPLETE, usage: { ...COMPLETE.usage, completionTokens: 1 } },
      ]);
      assert.deepEqual(engine.inputs[0]!.prompt, { kind: 'tokens', tokenIds: [5, 4_095] });
    });

    test('cancels by leaving the loop, by signal and by deadline', async (t) => {
      const engine = new CountingEngine();
      const world = await makeClient(t, engine);
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
      const world = await makeClient(t, new CountingEngine());
      if (world === undefined) return;
      assert.deepEqual(await world.client.serverInfo(), SERVER_INFO);
    });

    test('the server refuses parameters out of range by the name of the field', async (t) => {
      const engine = new CountingEngine();
      const world = await makeClient(t, engine);
      if (world === undefined) return;
      const bad: [Partial<GenerateRequest>, RegExp][] = [
        [{ temperature: -1 }, /temperature/],
        [{ temperature: Number.NaN }, /temperature/],
        [{ topP: 0 }, /top_p/],
        [{ topP: 1.1 }, /top_p/],
        [{ topK: -2 }, /top_k/],
        [{ maxTokens: 0 }, /max_tokens/],
        [{ maxTokens: -1 }, /max_tokens/],
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
  ];
  for (const [parameters, message] of bad) {
    const request = { prompt: '', ...parameters } as unknown as GenerateRequest;
    await assert.rejects(client.generate(request), { code: 'INVALID_ARGUMENT', message });
  }
});

test('a generation that is not whole is DATA_LOSS', async () => {
  const accepted = { kind: 'accepted', requestId: 'r', promptTokens: 1, seed: 0 } as const;
  const tokens = { kind: 'tokens', tokenIds: [1, 2], text: 'a', firstTokenIndex: 0 } as const;
  const complete = { ...COMPLETE, usage: { ...COMPLETE.usage, completionTokens: 2 } };
  const broken: GenerateEvent[][] = [
    [],
    [accepted],
    [accepted, tokens],
    [tokens, complete],
    [accepted, accepted, tokens, complete],
    [accepted, tokens, tokens, complete],
    [accepted, { ...tokens, firstTokenIndex: 1 }, complete],
    [accepted, complete],
    [accepted, tokens, complete, complete],
    [accepted, tokens, complete, tokens],
  ];
  let events: GenerateEvent[] = [accepted, tokens, complete];
  const broker = new MemoryBroker();
  serve(broker.connect(), {
    generate: async function* () {
      yield* events;
    },
    serverInfo: () => SERVER_INFO,
  });
  const client = SohuClient.over(broker.connect());
  assert.deepEqual((await client.generate({ prompt: '' })).tokenIds, [1, 2]);
  for (const each of broken) {
    events = each;
    await assert.rejects(client.generate({ prompt: '' }), { code: 'DATA_LOSS' });
  }
});

test('an address without a broker is UNAVAILABLE', async () => {
  // Nobody listens on the discard port.
  await assert.rejects(SohuClient.connect('nats://127.0.0.1:9'), (error) => {
    return error instanceof RpcError && error.code === 'UNAVAILABLE';
  });
});
