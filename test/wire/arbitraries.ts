import fc from 'fast-check';
import type {
  Command,
  GroupSpec,
  PhantomSpec,
  Report,
  ShardDraw,
  ShardSample,
} from '../../services/cluster/messages.ts';
import { COMPUTE_KINDS } from '../../services/cluster/step-times.ts';
import {
  EXCHANGE_ALGORITHMS,
  EXCHANGE_KINDS,
  type ShardFrame,
} from '../../services/core/collectives/frame.ts';
import { KV_CACHE_DTYPES, PRECISIONS } from '../../services/core/model/precision.ts';
import { OUTPUT_LENGTHS } from '../../services/core/sampling/output-lengths.ts';
import type { TokenMask } from '../../services/core/sampling/token-mask.ts';

/** Objects with the usual prototype, as decoding makes them. */
function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** Unsigned 32-bit numbers; the defaults of the wire among them. */
const word = fc.oneof(fc.constantFrom(0, 1, 127, 128, 0xffffffff), fc.nat({ max: 0xffffffff }));
const words = fc.array(word, { maxLength: 9 });
const double = fc.oneof(fc.constantFrom(0, 1), fc.double({ noNaN: true }));
const float = fc.float({ noNaN: true });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });

export const arbitraryFrame: fc.Arbitrary<ShardFrame> = record({
  epoch: word,
  step: word,
  exchange: word,
  layer: word,
  operation: fc.constantFrom('embedding', 'attention', 'mlp', 'step'),
  kind: fc.constantFrom('partial', 'result', 'requestPartial', 'requestResult'),
  source: word,
  chunk: word,
  payload: fc.uint8Array({ maxLength: 64 }),
  modelledBytes: fc.constantFrom(0, 1, 2 ** 40),
});

const arbitraryAdmission = record({
  sampling: record({
    temperature: double,
    topP: double,
    topK: word,
    minP: double,
    seed: word,
    repetitionPenalty: double,
    presencePenalty: double,
    frequencyPenalty: double,
    logitBias: fc.array(record({ token: word, bias: double }), { maxLength: 3 }),
    logprobs: fc.option(word, { nil: undefined }),
    promptLogprobs: fc.option(word, { nil: undefined }),
  }),
  choice: word,
  promptLength: word,
  minTokens: word,
  stopTokenIds: words,
  history: words,
});

const arbitraryPhantom: fc.Arbitrary<PhantomSpec> = record({
  chip: text,
  software: text,
  tokens: record({
    drawn: record({ start: word, end: word }),
    stopTokenIds: words,
    lengths: record({ distribution: fc.constantFrom(...OUTPUT_LENGTHS), mean: double }),
  }),
});
const arbitraryMask: fc.Arbitrary<TokenMask> = fc.oneof(
  record({ kind: fc.constant('tokens' as const), tokens: words }),
  record({ kind: fc.constant('bits' as const), bits: fc.uint8Array({ maxLength: 9 }) }),
);

export const arbitraryCommand: fc.Arbitrary<Command> = fc.oneof(
  record({
    kind: fc.constant('join' as const),
    epoch: word,
    spec: record<GroupSpec>({
      model: text,
      precision: fc.constantFrom(...PRECISIONS),
      kvCacheDtype: fc.constantFrom(...KV_CACHE_DTYPES),
      tensorParallel: word,
      blockSize: word,
      numGpuBlocksOverride: fc.option(word, { nil: undefined }),
      maxNumBatchedTokens: word,
      maxNumSeqs: word,
      phantom: fc.option(arbitraryPhantom, { nil: undefined }),
    }).map(({ phantom, ...spec }) => (phantom === undefined ? spec : { ...spec, phantom })),
    seats: words,
  }),
  record({ kind: fc.constant('heartbeat' as const), epoch: word }),
  record({
    kind: fc.constant('step' as const),
    epoch: word,
    step: word,
    released: words,
    traced: fc.boolean(),
    sequences: fc.array(
      record({
        id: word,
        tokens: words,
        start: word,
        sample: fc.boolean(),
        mask: fc.option(arbitraryMask, { nil: undefined }),
        targets: fc.option(record({ start: word, tokens: words }), { nil: undefined }),
        blocks: words,
        admission: fc.option(arbitraryAdmission, { nil: undefined }),
        uncounted: fc.integer({ min: 1, max: 99 }),
      }).map(({ uncounted, ...part }) => ({ ...part, count: part.tokens.length || uncounted })),
      { maxLength: 4 },
    ),
  }),
  record({ kind: fc.constant('logits' as const), epoch: word, step: word, samples: words }),
);

const arbitraryCandidates = fc.array(record({ token: word, score: float }), { maxLength: 5 });
const arbitraryMass = record({ maximum: double, sum: double });
const arbitraryLeaf = record({ candidates: arbitraryCandidates, exhaustive: fc.boolean() });

const arbitraryDraw: fc.Arbitrary<ShardDraw> = fc.oneof(
  record({
    kind: fc.constant('candidate' as const),
    candidate: fc.option(record({ token: word, score: double }), { nil: undefined }),
  }),
  record({
    kind: fc.constant('nucleus' as const),
    mass: arbitraryMass,
    leaves: fc.array(arbitraryLeaf, { maxLength: 4 }),
  }),
);

const arbitraryLogprobs = record({ mass: arbitraryMass, logits: arbitraryCandidates });

const arbitrarySample: fc.Arbitrary<ShardSample> = record({
  draw: arbitraryDraw,
  logprobs: fc.option(arbitraryLogprobs, { nil: undefined }),
});

const arbitraryFloats = fc
  .array(float, { maxLength: 6 })
  .map((values) => Float32Array.from(values));

const arbitraryCounters = record({
  steps: word,
  bytesSent: double,
  bytesReceived: double,
  computeMicros: double,
  communicationMicros: double,
  droppedFrames: word,
});

const arbitraryTimes = record({
  beganMicros: double,
  endedMicros: double,
  tokens: word,
  computeMicros: double,
  communicationMicros: double,
  segments: fc.array(
    record({
      segment: fc.constantFrom(...COMPUTE_KINDS),
      layer: word,
      beganMicros: double,
      endedMicros: double,
    }),
    { maxLength: 3 },
  ),
  exchanges: fc.array(
    record({
      operation: fc.constantFrom(...EXCHANGE_KINDS),
      algorithm: fc.constantFrom(...EXCHANGE_ALGORITHMS),
      layer: word,
      beganMicros: double,
      endedMicros: double,
      skewMicros: double,
      bytesSent: double,
    }),
    { maxLength: 3 },
  ),
});

export const arbitraryReport: fc.Arbitrary<Report> = fc.oneof(
  record({
    kind: fc.constant('hello' as const),
    seat: word,
    pid: word,
    epoch: word,
    metricsAddress: text,
  }),
  record({ kind: fc.constant('progress' as const), rank: word, loaded: word, total: word }),
  record({
    kind: fc.constant('ready' as const),
    rank: word,
    epoch: word,
    kvBlocks: word,
    weightBytes: double,
    activationBytes: double,
    kvBytesPerBlock: double,
  }),
  record({ kind: fc.constant('refused' as const), rank: word, message: text }),
  record({
    kind: fc.constant('report' as const),
    rank: word,
    epoch: word,
    step: word,
    digest: word,
    samples: fc.array(arbitrarySample, { maxLength: 4 }),
    prompt: fc.array(arbitraryLogprobs, { maxLength: 4 }),
    tokens: words,
    counters: arbitraryCounters,
    times: fc.option(arbitraryTimes, { nil: undefined }),
  }),
  record({
    kind: fc.constant('shardLogits' as const),
    rank: word,
    epoch: word,
    step: word,
    sample: word,
    logits: arbitraryFloats,
    raw: fc.option(arbitraryFloats, { nil: undefined }),
  }),
);
