import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { sohu } from '#proto';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import type { KvEvent } from '../../services/core/kv/kv-events.ts';
import { checkGenerateInput } from '../../services/rpc/check-generate-input.ts';
import {
  DETOKENIZE,
  GENERATE,
  GET_SERVER_INFO,
  SUBSCRIBE_KV_EVENTS,
  TOKENIZE,
} from '../../services/rpc/inference-methods.ts';
import type {
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  RequestSampling,
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

const constraint: fc.Arbitrary<Constraint> = fc.oneof(
  record({ kind: fc.constant('jsonSchema' as const), schema: text }),
  record({ kind: fc.constant('jsonObject' as const) }),
  record({ kind: fc.constant('regex' as const), pattern: text }),
  record({ kind: fc.constant('choice' as const), choices: fc.array(text, { maxLength: 3 }) }),
);

const input = record<GenerateInput>({
  requestId: fc.string({ minLength: 1, maxLength: 128 }),
  prompt: fc.oneof(
    record({ kind: fc.constant('text' as const), text }),
    record({ kind: fc.constant('tokens' as const), tokenIds }),
  ),
  sampling: record<RequestSampling>({
    temperature: fc.double(),
    topP: fc.double(),
    topK: int32.filter((topK) => topK !== -1),
    minP: fc.double(),
    repetitionPenalty: fc.double(),
    presencePenalty: fc.double(),
    frequencyPenalty: fc.double(),
    logitBias: fc
      .dictionary(fc.nat(2 ** 31).map(String), fc.double(), { noNullPrototype: true })
      .map((biases) => Object.entries(biases).map(([id, bias]) => ({ token: Number(id), bias }))),
    logprobs: fc.option(int32, { nil: undefined }),
    promptLogprobs: fc.option(int32, { nil: undefined }),
    maxTokens: fc.option(int32, { nil: undefined }),
    minTokens: int32,
    seed: fc.option(uint32, { nil: undefined }),
    ignoreEos: fc.boolean(),
    stop: fc.array(text, { maxLength: 4 }),
    stopTokenIds: tokenIds,
    includeStopStrInOutput: fc.boolean(),
    constraint: fc.option(constraint, { nil: undefined }),
    n: uint32,
  }),
  priority: int32,
  cacheSalt: fc.string({ maxLength: 128 }),
  clientId: fc.string({ maxLength: 128 }),
}).chain((request) =>
  fc
    .option(
      record({
        samples: fc.array(record({ tokenIds, isComplete: fc.boolean() }), { maxLength: 4 }),
        promptLogprobs: uint32,
      }),
      { nil: undefined },
    )
    .map((resumption) => ({ ...request, ...(resumption && { resumption }) })),
);

const logprobs = fc.array(
  record({
    logprob: fc.double(),
    top: fc.array(record({ token: uint32, logprob: fc.double() }), { maxLength: 4 }),
  }),
  { maxLength: 4 },
);

const timings = record({
  queueMs: milliseconds,
  prefillMs: milliseconds,
  decodeMs: milliseconds,
  inferenceMs: milliseconds,
  e2eMs: milliseconds,
});
const event: fc.Arbitrary<GenerateEvent> = fc.oneof(
  record({
    kind: fc.constant('accepted' as const),
    requestId: text,
    promptTokens: uint32,
    seed: uint32,
  }).chain((accepted) =>
    fc
      .option(fc.string({ minLength: 1 }), { nil: undefined })
      .map((model) => ({ ...accepted, ...(model !== undefined && { model }) })),
  ),
  record({
    kind: fc.constant('tokens' as const),
    index: uint32,
    tokenIds,
    text,
    firstTokenIndex: uint32,
    isLast: fc.boolean(),
    logprobs,
  }),
  record({
    kind: fc.constant('complete' as const),
    index: uint32,
    finishReason: fc.constantFrom('stop' as const, 'length' as const, 'abort' as const),
    stopReason: fc.oneof(text, uint32, fc.constant(undefined)),
    usage: record({ promptTokens: uint32, completionTokens: uint32, cachedTokens: uint32 }),
    timings,
    preemptions: uint32,
  }).chain((complete) =>
    fc.option(timings, { nil: undefined }).map((deviceTimings) => ({
      ...complete,
      ...(deviceTimings && { deviceTimings }),
    })),
  ),
);

const hashes = fc.array(text, { maxLength: 3 });
const kvEvent: fc.Arbitrary<KvEvent<string>> = fc.oneof(
  record({
    kind: fc.constant('blockStored' as const),
    hashes,
    parentHash: fc.option(text, { nil: undefined }),
    tokens: tokenIds,
    blockSize: uint32,
  }),
  record({ kind: fc.constant('blockRemoved' as const), hashes }),
  record({ kind: fc.constant('allBlocksCleared' as const) }),
);
const batch = record<KvEventBatch>({
  sequenceNumber: bytes,
  timestampMs: milliseconds,
  events: fc.array(kvEvent, { maxLength: 4 }),
});

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
  weights: fc.constantFrom('checkpoint', 'phantom'),
  chip: text,
  software: text,
  speed: fc.constantFrom(0, 1, 2.5),
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

test('a constraint of vLLM’s protocol that is not supported is refused, not passed over', () => {
  const { GenerateRequest } = sohu.v1;
  for (const [field, name] of [
    ['grammar', 'grammar'],
    ['structuralTag', 'structural_tag'],
  ] as const) {
    const samplingParams = { [field]: 'root ::= "a"' };
    const bytes = GenerateRequest.encode({ requestId: 'r', text: '', samplingParams }).finish();
    assert.throws(() => GENERATE.decodeRequest(bytes), {
      name: 'InvalidArgumentError',
      message: `${name} must be absent: json_schema, json_object, regex and choice are supported`,
    });
  }
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

test('texts, tokens and KV events survive their encoding', () => {
  const place = fc.option(uint32, { nil: undefined });
  fc.assert(
    fc.property(text, tokenIds, place, batch, (words, ids, previousTokenId, events) => {
      assert.equal(TOKENIZE.decodeRequest(TOKENIZE.encodeRequest(words)), words);
      assert.deepEqual(TOKENIZE.decodeResponse(TOKENIZE.encodeResponse(ids)), ids);
      const tokens = { tokenIds: ids, previousTokenId };
      assert.deepEqual(DETOKENIZE.decodeRequest(DETOKENIZE.encodeRequest(tokens)), tokens);
      assert.equal(DETOKENIZE.decodeResponse(DETOKENIZE.encodeResponse(words)), words);
      const { encodeRequest, decodeRequest } = SUBSCRIBE_KV_EVENTS;
      assert.equal(decodeRequest(encodeRequest(previousTokenId)), previousTokenId);
      const { encodeResponse, decodeResponse } = SUBSCRIBE_KV_EVENTS;
      assert.deepEqual(decodeResponse(encodeResponse(events)), events);
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
    priority: 0,
    cacheSalt: '',
    clientId: '',
  });
});

test('top_k -1 means all tokens, as 0 does', () => {
  const request = {
    requestId: 'r',
    prompt: { kind: 'text', text: '' },
    sampling: { ...DEFAULT_SAMPLING, topK: -1 },
    priority: 0,
    cacheSalt: '',
    clientId: '',
  } as const;
  assert.equal(GENERATE.decodeRequest(GENERATE.encodeRequest(request)).sampling.topK, 0);
});

test('a request without an id or an input, or with names too long, is refused', () => {
  assert.throws(() => GENERATE.decodeRequest(Uint8Array.of(0x0a, 1, 0x72)), /input/);
  const request: GenerateInput = {
    requestId: 'r',
    prompt: { kind: 'text', text: '' },
    sampling: DEFAULT_SAMPLING,
    priority: 0,
    cacheSalt: '',
    clientId: '',
  };
  checkGenerateInput(request);
  const long = 'x'.repeat(257);
  const seeded = { ...DEFAULT_SAMPLING, seed: 1 };
  const open = { tokenIds: [], isComplete: false };
  const over = { tokenIds: [], isComplete: true };
  checkGenerateInput({
    ...request,
    sampling: seeded,
    resumption: { samples: [open], promptLogprobs: 0 },
  });
  const bad: [Partial<GenerateInput>, RegExp][] = [
    [{ requestId: '' }, /request_id must have 1 to 128 characters, not 0/],
    [{ requestId: long }, /request_id/],
    [{ cacheSalt: long }, /cache_salt must have 0 to 256 characters, not 257/],
    [{ clientId: long }, /client_id must have 0 to 128/],
    [{ sampling: { ...DEFAULT_SAMPLING, n: 0 } }, /n must/],
    [{ resumption: { samples: [open], promptLogprobs: 0 } }, /^seed must be given/],
    [
      { sampling: seeded, resumption: { samples: [], promptLogprobs: 0 } },
      /samples must be 1, .+ 0$/,
    ],
    [{ sampling: seeded, resumption: { samples: [over], promptLogprobs: 0 } }, /not complete$/],
    [
      { sampling: seeded, resumption: { samples: [open], promptLogprobs: 1 } },
      /input_logprobs must/,
    ],
  ];
  for (const [parameters, message] of bad) {
    assert.throws(() => checkGenerateInput({ ...request, ...parameters }), { message });
  }
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
