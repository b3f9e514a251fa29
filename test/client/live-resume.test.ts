import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { type GenerateRequest, SohuClient } from '../../services/client/index.ts';
import type { GenerateEvent } from '../../services/rpc/inference-types.ts';
import { startBroker } from '../../services/runtime/broker/nats-server.ts';
import type { GatewayMessage } from '../../services/runtime/cluster/gateway-messages.ts';
import type { CoordinatorMessage } from '../../services/runtime/coordinator/coordinator-messages.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import type { ManagedProcess } from '../../services/runtime/process/managed-process.ts';
import { spawnNode } from '../../services/runtime/process/spawn-node.ts';
import { lastingParts } from '../support/answer-events.ts';
import { natsServerBinary, withBroker } from '../support/broker.ts';
import { until } from '../support/live-cluster.ts';

const STREAMS = 50;
const HTTP_STREAMS = 6;
/** So long that none ends before all have begun. */
const LENGTH = 96;
const CHIPS = 2;

/** Draws and ends of every kind; each gives the same tokens whenever it is asked. */
function requestOf(index: number): GenerateRequest {
  return {
    prompt: ['Once upon a time', 'Lily', 'The dog and the cat'][index % 3]!,
    seed: index,
    temperature: index % 4 === 0 ? 0 : 1,
    topP: index % 2 === 0 ? 1 : 0.9,
    maxTokens: LENGTH,
    ignoreEos: true,
    ...(index % 5 === 0 && { frequencyPenalty: 0.5, repetitionPenalty: 1.1 }),
    ...(index % 7 === 0 && { logprobs: 2 }),
    ...(index % 6 === 0 && { stop: [' happily ever after', 'zzz'], minTokens: 64 }),
    ...(index % 8 === 0 && { n: 2 }),
  };
}

/** Starts one of the programs; resolves to what it says when it serves. */
function start<Message>(
  t: TestContext,
  entry: string,
  args: readonly string[],
): { node: ManagedProcess; told: (isIt: (message: Message) => boolean) => Promise<Message> } {
  let hear: (message: Message) => void = () => {};
  const node = spawnNode({
    name: entry,
    entry: packagePath(`dist/services/${entry}/main.js`),
    args,
    output: 'ignore',
    onMessage: (message) => hear(message as Message),
  });
  t.after(() => node.stop());
  const told = (isIt: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve, reject) => {
      hear = (message) => isIt(message) && resolve(message);
      void node.exited.then(({ stderrTail }) => reject(new Error(`${entry}: ${stderrTail}`)));
    });
  return { node, told };
}

/** The events of one stream over HTTP, as they come. */
async function* overHttp(url: string, body: object): AsyncGenerator<string> {
  const response = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, model: 'tinystories-5m', stream: true }),
  });
  assert.equal(response.status, 200);
  const events = response
    .body!.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { data } of events) yield data;
}

/** What a chunk adds; its names and times are those of one request. */
function contentOf(data: string): unknown {
  return data === '[DONE]' ? data : JSON.parse(data).choices;
}

/** Counts the streams that something has come of, and those that are over. */
class Progress {
  readonly allBegan: Promise<void>;
  ended = 0;
  #left: number;
  #done!: () => void;

  constructor(streams: number) {
    this.#left = streams;
    this.allBegan = new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  began(): void {
    if (--this.#left === 0) this.#done();
  }
}

/** A group with its gateway, as Compose starts them. */
interface Served {
  readonly client: SohuClient;
  readonly gatewayUrl: string;
  readonly coordinator: ManagedProcess;
  /** Starts another coordinator. */
  startCoordinator(): Promise<ManagedProcess>;
}

async function serve(t: TestContext, natsUrl: string): Promise<Served> {
  const place = ['--nats', natsUrl, '--cluster', 'test'];
  const group = [...place, '--group', '0'];
  const startCoordinator = async (): Promise<ManagedProcess> => {
    const args = [...group, '--tp', `${CHIPS}`];
    const { node, told } = start<CoordinatorMessage>(t, 'coordinator', args);
    await told(({ kind }) => kind === 'ready');
    return node;
  };
  for (let seat = 0; seat < CHIPS; seat++) start(t, 'worker', [...group, '--rank', `${seat}`]);
  const gateway = start<GatewayMessage>(t, 'gateway', [...place, '--port', '0']);
  const listening = await gateway.told(({ kind }) => kind === 'listening');
  assert.ok(listening.kind === 'listening');
  const coordinator = await startCoordinator();
  const client = await SohuClient.connect(natsUrl, { cluster: 'test' });
  t.after(() => client.close());
  return { client, gatewayUrl: listening.url, coordinator, startCoordinator };
}

/** What came of every stream. */
interface Answers {
  readonly sdk: readonly unknown[];
  readonly http: readonly unknown[];
}

async function readAll({ client, gatewayUrl }: Served, progress: Progress): Promise<Answers> {
  const sdk = Array.from({ length: STREAMS }, async (_, index) => {
    const request = { ...requestOf(index), requestId: `stream-${index}` };
    const events: GenerateEvent[] = [];
    for await (const event of client.generateStream(request)) {
      const isFirst = !events.some(({ kind }) => kind === 'tokens');
      if (event.kind === 'tokens' && isFirst) progress.began();
      events.push(event);
    }
    progress.ended++;
    return lastingParts(events);
  });
  const http = Array.from({ length: HTTP_STREAMS }, async (_, index) => {
    const body = { prompt: 'Once upon a time', seed: index, max_tokens: LENGTH, n: 2 };
    const given = { ...body, ignore_eos: true, return_token_ids: true };
    const chunks: unknown[] = [];
    for await (const data of overHttp(gatewayUrl, given)) {
      if (chunks.length === 0) progress.began();
      chunks.push(contentOf(data));
    }
    progress.ended++;
    return chunks.sort((a, b) => order(a) - order(b));
  });
  return { sdk: await Promise.all(sdk), http: await Promise.all(http) };
}

/** Lets `disturb` happen while all streams are under way, and holds them to those before. */
async function assertUndisturbed(served: Served, disturb: () => Promise<void>): Promise<void> {
  const expected = await readAll(served, new Progress(STREAMS + HTTP_STREAMS));
  const progress = new Progress(STREAMS + HTTP_STREAMS);
  const reading = readAll(served, progress);
  await Promise.race([progress.allBegan, reading]);
  assert.equal(progress.ended, 0, 'all streams are cut');
  await disturb();
  const { sdk, http } = await reading;
  for (const [index, answer] of sdk.entries()) {
    assert.deepEqual(answer, expected.sdk[index], `stream ${index}`);
  }
  assert.deepEqual(http, expected.http);
}

test('streams outlast the SIGKILL of their coordinator: the same tokens, none twice', async (t) => {
  const broker = await withBroker(t);
  if (broker === undefined) return;
  const served = await serve(t, broker.url);
  await assertUndisturbed(served, async () => {
    process.kill(served.coordinator.pid, 'SIGKILL');
    await served.coordinator.exited;
    const startMs = performance.now();
    await served.startCoordinator();
    t.diagnostic(`served again after ${(performance.now() - startMs).toFixed(0)} ms`);
  });
});

test('streams outlast their broker, and the coordinator computes none for nobody', async (t) => {
  const binary = await natsServerBinary(t);
  if (binary === undefined) return;
  const first = await startBroker({ binary });
  t.after(() => first.stop());
  const served = await serve(t, first.url);
  await assertUndisturbed(served, async () => {
    await first.stop();
    const second = await startBroker({ binary, port: first.port });
    t.after(() => second.stop());
  });
  // What the coordinator had open when the broker was lost is over too, long before its length.
  await until('the group is idle', async () => {
    const { load } = await served.client.telemetry.snapshot();
    return load.running + load.waiting === 0;
  });
});

/** Samples one after the other: their turns differ from run to run, the order within each does not. */
function order(chunk: unknown): number {
  return Array.isArray(chunk) ? (chunk[0]?.index ?? -1) : Number.POSITIVE_INFINITY;
}
