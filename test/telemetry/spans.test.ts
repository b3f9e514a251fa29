import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { startSpanExport } from '../../services/gateway/span-export.ts';
import { RpcError } from '../../services/rpc/status.ts';
import { makeGateway, post } from '../gateway/make-gateway.ts';
import { accepted, StandInEngine } from '../gateway/stand-in-engine.ts';

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

const CLIENT = 3;
const ERROR = 2;

/** A collector that keeps what it is sent. */
async function startCollector(t: TestContext) {
  const spans: OtlpSpan[] = [];
  const services: unknown[] = [];
  const server = createServer(async (request, response) => {
    assert.equal(request.url, '/v1/traces');
    const { resourceSpans } = JSON.parse(await bodyOf(request));
    for (const { resource, scopeSpans } of resourceSpans) {
      services.push(attributesOf(resource)['service.name']);
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { spans, services, url: `http://127.0.0.1:${port}` };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

function attributesOf({ attributes }: Pick<OtlpSpan, 'attributes'>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

suite('spans of generations', () => {
  test('are not made where the environment names no collector', async () => {
    assert.equal(await startSpanExport({}), undefined);
    assert.equal(await startSpanExport({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }), undefined);
  });

  test('reach a collector over OTLP, with the attributes of generative AI', async (t) => {
    const { spans, services, url } = await startCollector(t);
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = url;
    t.after(() => delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT);
    const spanExport = await startSpanExport(process.env);
    const engine = new StandInEngine();
    const gateway = makeGateway(t, spanExport!.trace(engine, 'tinystories-5m'));
    const request = { prompt: 'Once', max_tokens: 4, temperature: 0.5, seed: 3, stop: ['.'] };
    assert.equal((await post(gateway, '/v1/completions', request)).status, 200);
    engine.script = async function* (input) {
      yield accepted(input);
      throw new RpcError('UNAVAILABLE', 'the chips are gone');
    };
    const messages = [{ role: 'user', content: 'Hello' }];
    assert.equal((await post(gateway, '/v1/chat/completions', { messages })).status, 503);
    await spanExport!.close();
    assert.deepEqual([...new Set(services)], ['sohu-gateway']);
    const [completion, chat] = spans as [OtlpSpan, OtlpSpan];
    assert.equal(spans.length, 2);
    assert.equal(completion.name, 'text_completion tinystories-5m');
    assert.equal(completion.kind, CLIENT);
    assert.ok(BigInt(completion.endTimeUnixNano) >= BigInt(completion.startTimeUnixNano));
    const {
      'gen_ai.response.id': id,
      'gen_ai.response.time_to_first_chunk': first,
      ...rest
    } = attributesOf(completion);
    assert.match(String(id), /^cmpl-/);
    assert.ok(Number(first) >= 0);
    assert.deepEqual(rest, {
      'gen_ai.operation.name': 'text_completion',
      'gen_ai.provider.name': 'sohu',
      'gen_ai.request.model': 'tinystories-5m',
      'gen_ai.response.model': 'tinystories-5m',
      'gen_ai.request.max_tokens': 4,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_p': 1,
      'gen_ai.request.seed': 3,
      'gen_ai.request.stop_sequences': { values: [{ stringValue: '.' }] },
      'gen_ai.usage.input_tokens': 2,
      'gen_ai.usage.output_tokens': 2,
      'gen_ai.usage.cache_read.input_tokens': 1,
      'gen_ai.response.finish_reasons': { values: [{ stringValue: 'length' }] },
    });
    assert.equal(chat.name, 'chat tinystories-5m');
    assert.equal(chat.status.code, ERROR);
    assert.equal(attributesOf(chat)['error.type'], 'UNAVAILABLE');
  });
});
