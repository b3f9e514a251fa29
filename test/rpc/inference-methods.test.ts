import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { GENERATE, GET_SERVER_INFO } from '../../services/rpc/inference-methods.ts';
import type {
  GenerateEvent,
  GenerateInput,
  ServerInfo,
} from '../../services/rpc/inference-types.ts';
import { DEFAULT_SAMPLING } from '../../services/rpc/request-sampling.ts';

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const bytes = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const tokenIds = fc.array(uint32, { maxLength: 20 });
const text = fc.string({ unit: 'grapheme' });
const milliseconds = fc.double({ min: 0, noNaN: true });

function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const input = record<GenerateInput>({
  requestId: fc.string({ minLength: 1, maxLength: 128 }),
  prompt: fc.oneof(
    record({ kind: fc.constant('text' as const), text }),
    record({ kind: fc.constant('tokens' as const), tokenIds }),
  ),
  sampling: fc
    .record({
      temperature: fc.double(),
      topP: fc.double(),
      topK: int32.filter((topK) => topK !== -1),
      maxTokens: fc.option(int32, { nil: undefined }),
      seed: fc.option(uint32, { nil: undefined }),
      ignoreEos: fc.boolean(),
    })
    .map((fields) => ({ ...DEFAULT_SAMPLING, ...fields })),
});

const event: fc.Arbitrary<GenerateEvent> = fc.oneof(
  record({
    kind: fc.constant('accepted' as const),
    requestId: text,
    promptTokens: uint32,
    seed: uint32,
  }),
  record({ kind: fc.constant('tokens' as const), tokenIds, text, firstTokenIndex: uint32 }),
  record({
    kind: fc.constant('complete' as const),
    finishReason: fc.constantFrom('stop' as const, 'length' as const, 'abort' as const),
    usage: record({ promptTokens: uint32, completionTokens: uint32, cachedTokens: uint32 }),
    timings: record({
      queueMs: milliseconds,
      prefillMs: milliseconds,
      decodeMs: milliseconds,
      e2eMs: milliseconds,
    }),
  }),
);

const info = record<ServerInfo>({
  modelName: text,
  precision: text,
  tensorParallelSize: uint32,
  serverType: text,
  version: text,
  maxContextLength: uint32,
  vocabSize: uint32,
  eosTokenIds: tokenIds,
  kvBlocks: uint32,
  maxNumSeqs: uint32,
  chips: fc.array(
    record({
      rank: uint32,
      pid: uint32,
      weightBytes: bytes,
      hbmBytesUsed: bytes,
      hbmBytesTotal: bytes,
      bytesSent: bytes,
      bytesReceived: bytes,
      computeMs: milliseconds,
      communicationMs: milliseconds,
      steps: bytes,
      metricsAddress: text,
    }),
    { maxLength: 8 },
  ),
});

test('requests, events and server information survive their encoding', () => {
  fc.assert(
    fc.property(input, (value) => {
      assert.deepEqual(GENERATE.decodeRequest(GENERATE.encodeRequest(value)), value);
    }),
  );
  fc.assert(
    fc.property(event, (value) => {
      assert.deepEqual(GENERATE.decodeResponse(GENERATE.encodeResponse(value)), value);
    }),
  );
  fc.assert(
    fc.property(info, (value) => {
      const encoded = GET_SERVER_INFO.encodeResponse(value);
      assert.deepEqual(GET_SERVER_INFO.decodeResponse(encoded), value);
    }),
  );
});

test('what a request leaves out has its default', () => {
  // request_id "r", text "hi" and nothing else.
  const bytes = Uint8Array.of(0x0a, 1, 0x72, 0x1a, 2, 0x68, 0x69);
  assert.deepEqual(GENERATE.decodeRequest(bytes), {
    requestId: 'r',
    prompt: { kind: 'text', text: 'hi' },
    sampling: DEFAULT_SAMPLING,
  });
});

test('top_k -1 means all tokens, as 0 does', () => {
  const request = {
    requestId: 'r',
    prompt: { kind: 'text', text: '' },
    sampling: { ...DEFAULT_SAMPLING, topK: -1 },
  } as const;
  assert.equal(GENERATE.decodeRequest(GENERATE.encodeRequest(request)).sampling.topK, 0);
});

test('a request without an id or an input is refused', () => {
  assert.throws(() => GENERATE.decodeRequest(new Uint8Array()), /request_id/);
  assert.throws(() => GENERATE.decodeRequest(Uint8Array.of(0x0a, 1, 0x72)), /input/);
});

test('the protocol files keep to the rules of the wire', () => {
  for (const file of ['rpc.proto', 'inference.proto']) {
    const source = readFileSync(`proto/sohu/v1/${file}`, 'utf8');
    assert.doesNotMatch(source, /\b(u?int64|s?fixed64|sint64)\b|repeated (float|double)/);
    const lines = source.split('\n');
    for (const [index, line] of lines.entries()) {
      const isField = / = \d+;/.test(line);
      if (isField)
        assert.match(lines[index - 1]!, /^ *\/\/ /, `${file}:${index + 1} has no comment`);
    }
  }
});
