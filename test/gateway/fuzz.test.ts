import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import { heapBytes } from '../rpc/heap.ts';
import { makeRandom } from '../support/checkpoint-files.ts';
import { get, makeGateway, startGateway } from './make-gateway.ts';
import { StandInEngine } from './stand-in-engine.ts';

const SEED = 20_260;
const BODIES = 16_000;
const CONNECTIONS = 4_000;
const PATHS = ['/v1/completions', '/v1/chat/completions', '/tokenize', '/detokenize'];
const MIB = 2 ** 20;

const random = makeRandom(SEED);
const below = (count: number): number => Math.floor(random() * count);
const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;

/** Right requests, to be broken. */
const SAMPLES: readonly string[] = [
  { prompt: 'Once', max_tokens: 5, temperature: 0.5, stop: ['x'], logit_bias: { 5: 1 }, n: 2 },
  { prompt: [[1, 2], [3]], seed: 7, stream: true, stream_options: { include_usage: true } },
  { messages: [{ role: 'user', content: 'Hi' }], top_logprobs: 2, logprobs: true },
  { tokens: [1, 2, 3] },
].map((body) => JSON.stringify(body));

/** JSON of any kind, none of which any route accepts: every value has a wrong kind somewhere. */
function wrongValue(depth: number): unknown {
  const kinds = depth > 3 ? 5 : 8;
  switch (below(kinds)) {
    case 0:
      return pick([-1, 1.5, 1e300, -0, 2 ** 53]);
    case 1:
      return pick(['', '\u0000', '\ud800', 'x'.repeat(below(300)), '💥']);
    case 2:
      return random() < 0.5;
    case 3:
      return [];
    case 4:
      return {};
    case 5:
      return Array.from({ length: below(5) }, () => wrongValue(depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: below(5) }, (_, i) => [`k${i}`, wrongValue(depth + 1)]),
      );
  }
}

/** A body that must be refused: broken JSON, or a required field of a kind that nothing takes. */
function wrongBody(): string {
  switch (below(5)) {
    case 0: {
      const sample = pick(SAMPLES);
      return sample.slice(0, 1 + below(sample.length - 1));
    }
    case 1: {
      const sample = pick(SAMPLES);
      const at = below(sample.length);
      return `${sample.slice(0, at)}${pick(['}', '"', '\u0001', ',,', '\\'])}${sample.slice(at)}}`;
    }
    case 2:
      return '['.repeat(1 + below(20_000)) + (random() < 0.5 ? '' : '1');
    case 3:
      return JSON.stringify({ prompt: {}, messages: wrongValue(0), tokens: {}, n: wrongValue(0) });
    default:
      return JSON.stringify({ messages: 5, prompt: pick([5, true, {}, []]), tokens: 'x' });
  }
}

/** Bytes that are no HTTP/1.1 request for any route, or one for none. */
function wrongRequest(): string {
  const method = pick(['GET', 'POST', 'PUT', 'FOO', 'CONNECT', '', 'GET\u0000']);
  const path = pick(['/nowhere', '//', '/%zz', '*', 'x', `/${'a'.repeat(below(9000))}`]);
  const version = pick(['HTTP/1.1', 'HTTP/9.9', 'HTTP', 'SMTP']);
  const headers = pick([
    'host: x\r\n',
    `host: x\r\nbig: ${'y'.repeat(below(40_000))}\r\n`,
    'host: x\r\ncontent-length: -5\r\n',
    'host: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n',
    'host x\r\n',
    'host: x\r\n: empty\r\n',
    '',
  ]);
  const noise = String.fromCharCode(...Array.from({ length: below(40) }, () => below(256)));
  const body = pick(['', noise, 'zz\r\n', '{"prompt":5}']);
  return random() < 0.2
    ? `${noise}\r\n\r\n`
    : `${method} ${path} ${version}\r\n${headers}connection: close\r\n\r\n${body}`;
}

/** The status of the first response; undefined where the connection ended without one. */
function statusOf(port: number, bytes: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
      resolve(status === undefined ? undefined : Number(status));
    });
    socket.end(Buffer.from(bytes, 'latin1'));
  });
}

suite(`20,000 malformed requests (seed ${SEED})`, () => {
  test('bodies are each answered with 4xx, and memory stays flat', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    let middleBytes = 0;
    for (let i = 0; i < BODIES; i++) {
      const payload = wrongBody();
      const headers = { 'content-type': 'application/json' };
      const url = pick(PATHS);
      const { statusCode, body } = await gateway.app.inject({
        method: 'POST',
        url,
        payload,
        headers,
      });
      assert.ok(
        statusCode >= 400 && statusCode < 500,
        `${url} ${payload.slice(0, 200)}: ${statusCode} ${body}`,
      );
      assert.equal(JSON.parse(body).error.code, statusCode);
      if (i === BODIES / 2) middleBytes = heapBytes();
    }
    assert.ok(heapBytes() - middleBytes < 16 * MIB, 'the second half leaves nothing behind');
    assert.equal(engine.requests.length, 0);
    assert.equal((await get(gateway, '/health')).status, 200);
  });

  test('connections are each answered with 4xx or closed, and the gateway lives', async (t) => {
    const engine = new StandInEngine();
    const { url } = await startGateway(t, engine);
    const port = Number(new URL(url).port);
    let answered = 0;
    let middleBytes = 0;
    for (let i = 0; i < CONNECTIONS; i += 20) {
      const requests = Array.from({ length: 20 }, wrongRequest);
      const statuses = await Promise.all(requests.map((bytes) => statusOf(port, bytes)));
      statuses.forEach((status, index) => {
        if (status === undefined) return;
        answered++;
        assert.ok(status >= 400 && status < 500, `${status}: ${requests[index]!.slice(0, 200)}`);
      });
      if (i === CONNECTIONS / 2) middleBytes = heapBytes();
    }
    assert.ok(answered > CONNECTIONS * 0.9, `${answered} of ${CONNECTIONS} had an answer`);
    assert.ok(heapBytes() - middleBytes < 16 * MIB, 'the second half leaves nothing behind');
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.equal(engine.requests.length, 0);
  });
});
