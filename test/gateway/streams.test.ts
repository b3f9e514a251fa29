import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { RpcError } from '../../services/rpc/status.ts';
import { get, post, SETTINGS, startGateway } from './make-gateway.ts';
import {
  accepted,
  StandInEngine,
  sayHello,
  stayQuiet,
  talkOn,
  tokens,
  until,
} from './stand-in-engine.ts';

const CHAT = { messages: [{ role: 'user', content: 'Once' }], stream: true };

function request(url: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

/** A connection that has sent a request and reads nothing. */
async function sendWithoutReading(t: TestContext, url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  const body = JSON.stringify(CHAT);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function readUntil(response: Response, enough: (text: string) => boolean): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body!) {
    text += decoder.decode(bytes, { stream: true });
    if (enough(text)) break;
  }
  return text;
}

test('an error after the start is a frame, and [DONE] follows', async (t) => {
  const engine = new StandInEngine(async function* (request) {
    yield accepted(request);
    yield tokens('x', { id: 500, at: 0 });
    throw new RpcError('UNAVAILABLE', 'a chip was lost');
  });
  const { url } = await startGateway(t, engine);
  const response = await request(url, CHAT);
  assert.equal(response.status, 200);
  const frames = (await response.text()).trimEnd().split('\n\n').slice(-2);
  assert.equal(
    frames[0],
    'data: {"error":{"message":"a chip was lost","type":"ServiceUnavailableError","param":null,"code":503}}',
  );
  assert.equal(frames[1], 'data: [DONE]');
});

suite('a client that leaves frees what its request holds', () => {
  test('in the middle of a stream', async (t) => {
    const engine = new StandInEngine(talkOn('word '));
    const { url } = await startGateway(t, engine);
    const leave = new AbortController();
    const response = await request(url, CHAT, leave.signal);
    await readUntil(response, (text) => text.includes('word'));
    assert.equal(engine.requests.length, 1);
    leave.abort();
    await until('the engine is free', () => engine.openCount === 0);
  });

  test('before the first token, streamed or not', async (t) => {
    const engine = new StandInEngine(stayQuiet);
    const { url } = await startGateway(t, engine);
    for (const stream of [true, false]) {
      const leave = new AbortController();
      const response = request(url, { ...CHAT, stream }, leave.signal);
      response.catch(() => {});
      await until('the engine works', () => engine.openCount === 1);
      leave.abort();
      await until('the engine is free', () => engine.openCount === 0);
    }
  });

  test('with every prompt of it', async (t) => {
    const engine = new StandInEngine(stayQuiet);
    const { url } = await startGateway(t, engine);
    const leave = new AbortController();
    const response = fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: new Array(20).fill('x') }),
      signal: leave.signal,
    });
    response.catch(() => {});
    await until('the engine works', () => engine.openCount === 20);
    leave.abort();
    await until('the engine is free', () => engine.openCount === 0);
  });
});

test('a reader that does not read is cut off, and the others get theirs', async (t) => {
  const long = 'x'.repeat(4096);
  const engine = new StandInEngine((call, signal) => {
    const isSlow = call.prompt.length === 2;
    return isSlow ? talkOn(long)(call, signal) : talkOn('word ')(call, signal);
  });
  const settings = { ...SETTINGS, slow_reader_timeout: 1 };
  const { gateway, url } = await startGateway(t, engine, { settings });
  const slow = await sendWithoutReading(t, url);
  await until('the slow one is served', () => engine.openCount === 1);
  const leave = new AbortController();
  const messages = [{ role: 'user', content: 'Once upon a time' }];
  const other = await request(url, { messages, stream: true }, leave.signal);
  let isCut = false;
  void until('the slow one is cut', () => engine.openCount === 1).then(() => {
    isCut = true;
  });
  let frames = 0;
  for await (const bytes of other.body!) {
    frames += Buffer.from(bytes).toString().split('\n\n').length;
    if (isCut) break;
  }
  assert.ok(frames > 100, 'the other one was served meanwhile');
  leave.abort();
  await until('the engine is free', () => engine.openCount === 0);
  const { body: metrics } = await get(gateway, '/metrics');
  assert.match(metrics, /^sohu_gateway_slow_readers_total 1$/m);
  slow.destroy();
});

test('what waits for a reader has a bound', async (t) => {
  let yielded = 0;
  const piece = 'x'.repeat(1024);
  const engine = new StandInEngine(async function* (call, signal) {
    for await (const event of talkOn(piece)(call, signal)) {
      yielded++;
      yield event;
    }
  });
  const { url } = await startGateway(t, engine);
  const socket = await sendWithoutReading(t, url);
  let before = -1;
  // What the kernel takes for both ends is all that goes; then the engine is not asked any more.
  await until('the engine waits', async () => {
    const isStill = yielded === before && yielded > 10;
    before = yielded;
    if (!isStill) await new Promise((resolve) => setTimeout(resolve, 100));
    return isStill;
  });
  assert.ok(yielded < 32 * 1024, `${yielded} KiB were written ahead`);
  socket.destroy();
  await until('the engine is free', () => engine.openCount === 0);
});

test('a gateway that ends tells those who are in the middle of a stream', async (t) => {
  const engine = new StandInEngine(stayQuiet);
  const { gateway, url } = await startGateway(t, engine);
  const response = await request(url, CHAT);
  const [text] = await Promise.all([response.text(), gateway.close()]);
  assert.match(
    text,
    /^data: \{"error":\{"message":"the gateway is shutting down".*\n\ndata: \[DONE\]\n\n$/,
  );
  assert.equal(engine.openCount, 0);
});

test('a gateway that drains lets a stream finish, and takes nothing new', async (t) => {
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const engine = new StandInEngine(async function* (call) {
    const [first, ...rest] = await collect(sayHello(call));
    yield first!;
    await finished;
    yield* rest;
  });
  const { gateway, url } = await startGateway(t, engine);
  const response = await request(url, CHAT);
  const closed = gateway.close(60_000);
  const refused = await post(gateway, '/v1/chat/completions', CHAT);
  assert.equal(refused.status, 503);
  finish();
  const text = await response.text();
  assert.doesNotMatch(text, /shutting down/);
  assert.match(text, /data: \[DONE\]\n\n$/);
  await closed;
});

test('a gateway whose time to drain is up ends what is left with an answer', async (t) => {
  const engine = new StandInEngine(stayQuiet);
  const { gateway, url } = await startGateway(t, engine);
  const response = await request(url, CHAT);
  const [text] = await Promise.all([response.text(), gateway.close(1)]);
  assert.match(text, /the gateway is shutting down/);
});

test('a hundred streams at once are each whole', async (t) => {
  const engine = new StandInEngine();
  const { url } = await startGateway(t, engine);
  const whole = await Promise.all(
    Array.from({ length: 100 }, async () => (await request(url, CHAT)).text()),
  );
  for (const text of whole) {
    assert.equal(text.split('\n\n').length - 1, 5);
    assert.ok(text.endsWith('data: [DONE]\n\n'));
  }
});
