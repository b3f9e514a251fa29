import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, type TestContext, test } from 'node:test';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { google } from '#proto';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { SohuClient } from '../../services/client/index.ts';
import { GrpcServer } from '../../services/grpc/grpc-server.ts';
import { RpcClient } from '../../services/rpc/client.ts';
import { Health } from '../../services/rpc/health/health.ts';
import { serveHealth } from '../../services/rpc/health/health-service.ts';
import { type InferenceEngine, serveInference } from '../../services/rpc/inference-service.ts';
import { overloaded } from '../../services/rpc/overloaded.ts';
import { ProtoFiles } from '../../services/rpc/reflection/proto-files.ts';
import { serveReflection } from '../../services/rpc/reflection/reflection-service.ts';
import type { ServerInterceptor } from '../../services/rpc/served-method.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { statusOf } from '../../services/rpc/status-codec.ts';
import { CountingEngine, SERVER_INFO } from '../client/counting-engine.ts';
import {
  ask,
  collect,
  type DynamicClient,
  dynamicClient,
  loadProtos,
  type Message,
  question,
} from './grpc-client.ts';

const PROTOS = loadProtos();
const INFERENCE = 'sohu.v1.Inference';

interface World {
  readonly address: string;
  readonly inference: DynamicClient;
  readonly health: Health;
  readonly server: RpcServer;
  readonly grpc: GrpcServer;
  readonly sdk: SohuClient;
  client(service: string): DynamicClient;
}

/** A gRPC server before an engine, and clients that know it by its .proto files. */
async function makeWorld(
  t: TestContext,
  engine: InferenceEngine,
  interceptors: readonly ServerInterceptor[] = [],
): Promise<World> {
  const broker = new MemoryBroker();
  const server = new RpcServer(broker.connect(), {
    cluster: 'sohu',
    serverId: 'one',
    interceptors,
  });
  const health = new Health();
  serveInference(server, engine);
  serveHealth(server, health);
  serveReflection(server, new ProtoFiles('proto'));
  const grpc = new GrpcServer(new RpcClient(broker.connect(), { cluster: 'sohu' }));
  const address = await grpc.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => grpc.close());
  const client = (service: string): DynamicClient => {
    const made = dynamicClient(PROTOS, service, address);
    t.after(() => made.close());
    return made;
  };
  const sdk = SohuClient.over(broker.connect());
  return { address, inference: client(INFERENCE), health, server, grpc, sdk, client };
}

function generateRequest(fields: Message = {}): Message {
  return { request_id: 'r', text: 'Once', sampling_params: { max_tokens: 3, seed: 5 }, ...fields };
}

/** A generation without a limit of its length. */
const ENDLESS = generateRequest({ sampling_params: {} });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

async function failureOf(promise: Promise<unknown>): Promise<ServiceError> {
  return promise.then(
    () => assert.fail('it must fail'),
    (error) => error,
  );
}

suite('a client of gRPC', () => {
  test('streams what the SDK streams', async (t) => {
    const { inference, sdk } = await makeWorld(t, new CountingEngine());
    const messages = await collect(inference.Generate(generateRequest()));
    assert.deepEqual(
      messages.map(({ response }) => response),
      ['accepted', 'chunk', 'chunk', 'chunk', 'complete'],
    );
    assert.equal(messages[0].accepted.seed, 5);
    const text = messages.map(({ chunk }) => chunk?.text ?? '').join('');
    const { choices } = await sdk.generate({ prompt: 'Once', maxTokens: 3, seed: 5 });
    assert.equal(text, choices[0]!.text);
    assert.equal(messages[4].complete.finish_reason, 'length');
  });

  test('calls every unary method', async (t) => {
    const engine = new CountingEngine();
    const { inference } = await makeWorld(t, engine);
    const { token_ids: ids } = await ask(inference, 'Tokenize', { text: 'né' });
    assert.deepEqual(ids, [0x6e, 0xe9]);
    const detokenized = await ask(inference, 'Detokenize', { token_ids: ids });
    assert.equal(detokenized.text, '>né');
    const info = await ask(inference, 'GetServerInfo', {});
    assert.equal(info.model_name, SERVER_INFO.modelName);
    assert.equal(info.chips[1].weight_bytes, SERVER_INFO.chips[1]!.weightBytes);
    const aborted = await ask(inference, 'Abort', { request_ids: ['a', 'b'] });
    assert.equal(aborted.aborted_requests, 2);
    assert.deepEqual(engine.abortedNames, ['a', 'b']);
    engine.batches = [
      { sequenceNumber: 0, timestampMs: 2.5, events: [{ kind: 'allBlocksCleared' }] },
    ];
    const [batch] = await collect(inference.SubscribeKvEvents({ start_sequence_number: 0 }));
    assert.equal(batch.timestamp_ms, 2.5);
  });

  test('learns codes, and details as a google.rpc.Status', async (t) => {
    const error = overloaded({ subject: 'model:toy', description: 'the queue is full' });
    let refuse = false;
    const { inference } = await makeWorld(t, new CountingEngine(), [
      (call, next) => {
        if (refuse) throw error;
        return next(call);
      },
    ]);
    const bad = { sampling_params: { temperature: -1 } };
    const invalid = await failureOf(collect(inference.Generate(generateRequest(bad))));
    assert.equal(invalid.code, status.INVALID_ARGUMENT);
    assert.match(invalid.details, /^temperature must be between 0 and 100, not -1$/);
    const [detail] = detailsOf(invalid);
    assert.deepEqual(detail, {
      kind: 'badRequest',
      fieldViolations: [{ field: 'temperature', description: invalid.details }],
    });
    refuse = true;
    const full = await failureOf(ask(inference, 'Tokenize', { text: '' }));
    assert.equal(full.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(detailsOf(full), error.details);
  });

  test('cancels by leaving, and by its deadline', async (t) => {
    const engine = new CountingEngine();
    const { inference, server, grpc } = await makeWorld(t, engine);
    const left = inference.Generate(ENDLESS);
    left.on('error', () => {});
    await once(left, 'data');
    assert.equal(server.openCalls, 1);
    left.cancel();
    await until(() => server.openCalls === 0 && grpc.openCalls === 0);
    assert.deepEqual(engine.aborted, ['r']);
    const late = inference.Generate(ENDLESS, new Metadata(), { deadline: Date.now() + 200 });
    assert.equal((await failureOf(collect(late))).code, status.DEADLINE_EXCEEDED);
    await until(() => server.openCalls === 0 && grpc.openCalls === 0);
  });

  test('tells the handler how much time is left', async (t) => {
    const deadlines: (number | undefined)[] = [];
    const { inference } = await makeWorld(t, new CountingEngine(), [
      (call, next) => {
        deadlines.push(call.context.onward().timeoutMs);
        return next(call);
      },
    ]);
    const deadline = Date.now() + 60_000;
    await collect(inference.Generate(generateRequest(), new Metadata(), { deadline }));
    await collect(inference.Generate(generateRequest()));
    assert.ok(deadlines[0]! > 30_000 && deadlines[0]! <= 60_000, `${deadlines[0]}`);
    assert.equal(deadlines[1], undefined);
  });

  test('sends metadata, and receives headers and trailers', async (t) => {
    const { inference } = await makeWorld(t, new CountingEngine(), [
      (call, next) => {
        const { metadata } = call.context;
        assert.deepEqual(
          [...metadata.keys()].filter((name) => name.startsWith('grpc-')),
          [],
        );
        for (const name of ['team', 'key-bin']) {
          call.context.setHeader(name, metadata.get(name) ?? 'none');
          call.context.setTrailer(`end-${name}`, metadata.get(name) ?? 'none');
        }
        call.context.setHeader('not legal ', 'x');
        return next(call);
      },
    ]);
    const metadata = new Metadata();
    metadata.set('team', 'red');
    metadata.set('key-bin', Buffer.from([0, 255]));
    const stream = inference.Generate(generateRequest(), metadata);
    const seen: Metadata[] = [];
    stream.on('metadata', (headers: Metadata) => seen.push(headers));
    stream.on('status', (end: { metadata: Metadata }) => seen.push(end.metadata));
    await collect(stream);
    await until(() => seen.length === 2);
    const bytes = [Buffer.from([0, 255])];
    assert.deepEqual([seen[0]!.get('team'), seen[0]!.get('key-bin')], [['red'], bytes]);
    assert.deepEqual([seen[1]!.get('end-team'), seen[1]!.get('end-key-bin')], [['red'], bytes]);
  });

  test('that does not read holds the engine back, and nobody else', async (t) => {
    const engine = new CountingEngine();
    const text = 'x'.repeat(1_000);
    let drawn = 0;
    const generate = engine.generate.bind(engine);
    engine.generate = async function* (input, signal) {
      for await (const event of generate(input, signal)) {
        if (input.requestId === 'slow') drawn += 1;
        yield event.kind === 'tokens' ? { ...event, text } : event;
      }
    };
    const { inference, client } = await makeWorld(t, engine);
    const slow = client(INFERENCE).Generate({ ...ENDLESS, request_id: 'slow' });
    slow.on('error', () => {});
    // Until its first read the library's client takes whatever comes.
    await once(slow, 'data');
    slow.pause();
    let before = -1;
    // Until a whole generation of somebody else passes without a token of this one.
    while (drawn !== before) {
      before = drawn;
      const sampling = { max_tokens: 300 };
      await collect(inference.Generate(generateRequest({ sampling_params: sampling })));
    }
    assert.ok(drawn < 4_000, `${drawn} tokens are on their way to a reader that sleeps`);
    slow.cancel();
  });

  test('is told UNAVAILABLE where nobody serves, and when the server stops', async (t) => {
    const { inference, server, grpc } = await makeWorld(t, new CountingEngine());
    const cut = inference.Generate(ENDLESS);
    const failure = failureOf(collect(cut));
    await until(() => server.openCalls === 1);
    await server.stop();
    assert.equal((await failure).code, status.UNAVAILABLE);
    const none = await failureOf(ask(inference, 'Tokenize', { text: '' }));
    assert.equal(none.code, status.UNAVAILABLE);
    assert.match(none.details, /no server of the cluster/);
    await until(() => grpc.openCalls === 0);
  });

  test('has its streams ended with UNAVAILABLE when gRPC stops', async (t) => {
    const { inference, server, grpc } = await makeWorld(t, new CountingEngine());
    const failure = failureOf(collect(inference.Generate(ENDLESS)));
    await until(() => server.openCalls === 1);
    await grpc.close();
    assert.equal((await failure).code, status.UNAVAILABLE);
    await until(() => server.openCalls === 0);
  });

  test('sends what is no message of the method, and is told so', async (t) => {
    const { address } = await makeWorld(t, new CountingEngine());
    const { Generate } = PROTOS[INFERENCE] as unknown as {
      Generate: { requestSerialize: unknown };
    };
    const broken = {
      ...PROTOS[INFERENCE],
      Generate: { ...Generate, requestSerialize: (bytes: Buffer) => bytes },
    };
    const made = dynamicClient({ ...PROTOS, [INFERENCE]: broken as never }, INFERENCE, address);
    for (const bytes of [[0xff, 0xff, 0xff], [0x0a, 0x7f], []]) {
      const failure = await failureOf(collect(made.Generate(Buffer.from(bytes))));
      assert.equal(failure.code, status.INVALID_ARGUMENT);
    }
    made.close();
  });
});

suite('the services around it', () => {
  test('health is checked and watched', async (t) => {
    const { client, health } = await makeWorld(t, new CountingEngine());
    const checker = client('grpc.health.v1.Health');
    assert.equal((await ask(checker, 'Check', { service: '' })).status, 'SERVING');
    const { statuses } = await ask(checker, 'List', {});
    assert.equal(statuses[''].status, 'SERVING');
    const unknown = await failureOf(ask(checker, 'Check', { service: INFERENCE }));
    assert.equal(unknown.code, status.NOT_FOUND);
    const watch = checker.Watch({ service: INFERENCE });
    watch.on('error', () => {});
    for (const expected of ['SERVICE_UNKNOWN', 'NOT_SERVING', 'SERVING'] as const) {
      if (expected !== 'SERVICE_UNKNOWN') health.set(INFERENCE, expected);
      assert.equal((await once(watch, 'data'))[0].status, expected);
    }
    watch.cancel();
  });

  test('reflection is enough to call a method', async (t) => {
    const { client, address } = await makeWorld(t, new CountingEngine());
    const stream = client('grpc.reflection.v1.ServerReflection').ServerReflectionInfo();
    const list = await question(stream, { host: 'rack.example', list_services: '*' });
    assert.equal(list.valid_host, 'rack.example');
    assert.equal(list.original_request.list_services, '*');
    assert.deepEqual(
      list.list_services_response.service.map(({ name }: Message) => name),
      ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', INFERENCE],
    );
    const found = await question(stream, { file_containing_symbol: INFERENCE });
    const missing = await question(stream, { file_by_filename: 'none.proto' });
    assert.equal(missing.error_response.error_code, status.NOT_FOUND);
    stream.end();
    const files = found.file_descriptor_response.file_descriptor_proto as Buffer[];
    // A FileDescriptorSet is its files, each as field 1.
    const set = Buffer.concat(
      files.flatMap((file) => [Buffer.from([0x0a]), varint(file.length), file]),
    );
    const learned = loadFileDescriptorSetFromBuffer(set, { keepCase: true });
    const made = dynamicClient(learned, INFERENCE, address);
    const answer = await ask(made, 'Tokenize', { text: 'A' });
    assert.deepEqual(answer.token_ids, [65]);
    made.close();
  });
});

function detailsOf(error: ServiceError) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const { code, message, details } = statusOf(google.rpc.Status.decode(bytes as Buffer));
  assert.equal(message, error.details);
  assert.equal(status[code], error.code);
  return details;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
