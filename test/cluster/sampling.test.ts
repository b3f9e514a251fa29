import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { TENSOR_PARALLEL_DEGREES } from '../../services/core/model/shard-plan.ts';
import type { DrawnToken } from '../../services/core/sampling/drawn-token.ts';
import { GREEDY, type SamplingParams } from '../../services/core/sampling/params.ts';
import { makeTokenMask, type TokenMask } from '../../services/core/sampling/token-mask.ts';
import type { ScheduledSequence } from '../../services/core/scheduler/step-builder.ts';
import { arbitrarySamplingOf } from '../core/arbitrary-sampling.ts';
import { makeConfig } from '../core/model-configs.ts';
import { assertClose, assertDrawn } from '../support/assert-drawn.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { drawNaively, type NaiveSequence } from '../support/naive-sampler.ts';
import { makeSequence, scheduleTokens } from '../support/scheduled-sequence.ts';
import { ShardedSampling } from '../support/sharded-sampling.ts';

/** A sequence at one moment, and the logits that its next token is drawn from. */
interface Moment extends NaiveSequence {
  readonly logits: Float32Array;
}

/** Some tokens, a few or most of them, and never none. */
function arbitraryAllowed(vocabSize: number): fc.Arbitrary<ReadonlySet<number> | undefined> {
  const few = fc.array(fc.nat({ max: vocabSize - 1 }), { minLength: 1, maxLength: 5 });
  const ids = Array.from({ length: vocabSize }, (_, id) => id);
  const most = few.map((absent) => ids.filter((id) => id === 0 || !absent.includes(id)));
  return fc.option(
    fc.oneof(few, most).map((list) => new Set(list)),
    { nil: undefined },
  );
}

function maskOf(allowed: ReadonlySet<number>, vocabSize: number): TokenMask {
  const bits = new Uint8Array(Math.ceil(vocabSize / 8));
  for (const id of allowed) bits[id >> 3]! |= 1 << (id & 7);
  return makeTokenMask(bits);
}

function arbitraryTokens(vocabSize: number, minLength: number): fc.Arbitrary<number[]> {
  // Mostly few different ones, so that they recur.
  const token = fc.oneof(
    fc.nat({ max: Math.min(4, vocabSize - 1) }),
    fc.nat({ max: vocabSize - 1 }),
  );
  return fc.array(token, { minLength, maxLength: 12 });
}

/** With ties, and spread so far or so little that candidates prove a nucleus or do not. */
function arbitraryLogits(vocabSize: number): fc.Arbitrary<Float32Array> {
  const logit = fc.oneof(
    fc.integer({ min: -8, max: 8 }).map((value) => value / 2),
    fc.double({ min: -20, max: 20, noNaN: true }),
  );
  return fc
    .array(logit, { minLength: vocabSize, maxLength: vocabSize, size: 'max' })
    .map((values) => Float32Array.from(values));
}

function arbitraryMoment(vocabSize: number): fc.Arbitrary<Moment> {
  return fc.record({
    prompt: arbitraryTokens(vocabSize, 1),
    generated: arbitraryTokens(vocabSize, 0),
    minTokens: fc.oneof(fc.constant(0), fc.nat({ max: 15 })),
    stopTokenIds: fc.uniqueArray(fc.nat({ max: vocabSize - 1 }), { maxLength: 4 }),
    sampling: arbitrarySamplingOf(vocabSize),
    choice: fc.nat({ max: 3 }),
    logits: arbitraryLogits(vocabSize),
    allowed: arbitraryAllowed(vocabSize),
  });
}

/** Some moments over one vocabulary, which share a step. */
const arbitraryMoments = fc
  .oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 300, max: 500 }))
  .chain((vocabSize) =>
    fc.record({
      vocabSize: fc.constant(vocabSize),
      moments: fc.array(arbitraryMoment(vocabSize), { minLength: 1, maxLength: 3 }),
    }),
  );

/** Where a sequence's tokens are divided: what the prefix cache holds, and a chunk after it; shares of the length. */
interface Division {
  readonly cached: number;
  readonly chunk: number;
}

const WHOLE: Division = { cached: 0, chunk: 0 };

function scheduleMoment(
  moment: Moment,
  id: number,
  division: Division,
): { readonly chunk: ScheduledSequence | undefined; readonly last: ScheduledSequence } {
  const { prompt, generated, minTokens, stopTokenIds, sampling, choice } = moment;
  const request = makeGenerationRequest({
    promptTokens: prompt,
    minTokens,
    stopTokenIds,
    // What is said of prompts has tests of its own.
    sampling: { ...sampling, promptLogprobs: undefined },
    // Whatever it is: the mask that would follow from it is given by the test.
    constraint: moment.allowed && { kind: 'jsonObject' },
  });
  const sequence = makeSequence({ request, generated, choice, id });
  const end = sequence.tokens.length;
  const cached = Math.floor(division.cached * (end - 1));
  const chunk = cached + Math.floor(division.chunk * (end - cached));
  if (chunk === cached || chunk === end) {
    return {
      chunk: undefined,
      last: scheduleTokens(sequence, { start: cached, end, admitted: true }),
    };
  }
  return {
    chunk: scheduleTokens(sequence, { start: cached, end: chunk, admitted: true }),
    last: scheduleTokens(sequence, { start: chunk, end, admitted: false }),
  };
}

/** Draws for all moments in one step, after another that computes their first chunks. */
function drawSharded(
  group: ShardedSampling,
  moments: readonly Moment[],
  divisions: readonly Division[] = [],
): readonly DrawnToken[] {
  const parts = moments.map((moment, index) =>
    scheduleMoment(moment, index, divisions[index] ?? WHOLE),
  );
  const chunks = parts.flatMap(({ chunk }) => chunk ?? []);
  if (chunks.length > 0) group.draw(chunks, []);
  return group.draw(
    parts.map(({ last }) => last),
    moments.map(({ logits }) => logits),
    moments.map(({ allowed, logits }) => allowed && maskOf(allowed, logits.length)),
  );
}

function listOf({ token, logprobs }: DrawnToken): Parameters<typeof assertDrawn>[0] {
  return { tokens: [token], logprobs: [logprobs] };
}

suite('sampling over the shards of a group', () => {
  test('draws what a sort of the whole vocabulary draws, with its log-probabilities', () => {
    let unproven = 0;
    const property = fc.property(
      arbitraryMoments,
      fc.constantFrom(...TENSOR_PARALLEL_DEGREES),
      ({ vocabSize, moments }, tp) => {
        const group = new ShardedSampling(makeConfig({ vocabSize }), tp);
        const drawn = drawSharded(group, moments);
        moments.forEach((moment, index) => {
          const expected = drawNaively(moment.logits, moment);
          if (expected.margin > 1e-9) assertDrawn(listOf(drawn[index]!), listOf(expected));
        });
        unproven += group.unproven;
      },
    );
    fc.assert(property, { numRuns: 1500 });
    assert.ok(unproven > 20, `${unproven} rows needed whole logits`);
  });

  test('is the same to the bit at every degree, whatever was cached and chunked', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const arbitraryDivisions = fc.array(fc.record({ cached: share, chunk: share }), {
      minLength: 3,
      maxLength: 3,
    });
    const property = fc.property(
      arbitraryMoments,
      fc.tuple(arbitraryDivisions, arbitraryDivisions, arbitraryDivisions, arbitraryDivisions),
      ({ vocabSize, moments }, divisions) => {
        const config = makeConfig({ vocabSize });
        const expected = moments.map(
          (moment) => drawSharded(new ShardedSampling(config, 1), [moment])[0]!,
        );
        for (const [index, tp] of TENSOR_PARALLEL_DEGREES.entries()) {
          const group = new ShardedSampling(config, tp);
          assert.deepEqual(drawSharded(group, moments, divisions[index]), expected, `TP ${tp}`);
        }
      },
    );
    fc.assert(property, { numRuns: 400 });
  });
});

suite('a rule of sampling', () => {
  const logits = Float32Array.of(1, 4, 3, -2, 3.5, 0, 0, 0, 0, 0);
  const drawWith = (
    sampling: Partial<SamplingParams>,
    moment: Partial<Omit<Moment, 'sampling'>> = {},
  ): DrawnToken => {
    const { length: vocabSize } = moment.logits ?? logits;
    const group = new ShardedSampling(makeConfig({ vocabSize }), 2);
    const whole = {
      ...{ prompt: [0], generated: [], minTokens: 0, stopTokenIds: [], choice: 0, logits },
      ...moment,
      sampling: { ...GREEDY, ...sampling },
    };
    return drawSharded(group, [whole])[0]!;
  };
  const tokenWith = (...options: Parameters<typeof drawWith>): number => drawWith(...options).token;

  test('masks stop tokens until there are enough tokens', () => {
    const stop = { minTokens: 2, stopTokenIds: [1, 4] };
    assert.equal(tokenWith({}, stop), 2);
    assert.equal(tokenWith({}, { ...stop, generated: [7] }), 2);
    assert.equal(tokenWith({}, { ...stop, generated: [7, 7] }), 1);
    assert.equal(tokenWith({ logitBias: [{ token: 1, bias: 100 }] }, stop), 2);
    assert.equal(tokenWith({ repetitionPenalty: 1e-300 }, { ...stop, prompt: [1] }), 2);
    const all = Array.from(logits, (_, token) => token);
    for (const sampling of [{}, { temperature: 1 }, { temperature: 1, topP: 0.5 }]) {
      assert.equal(tokenWith(sampling, { minTokens: 1, stopTokenIds: all }), 0);
    }
  });

  test('adds a bias to its token alone', () => {
    assert.equal(tokenWith({ logitBias: [{ token: 3, bias: 6.5 }] }), 3);
    assert.equal(tokenWith({ logitBias: [{ token: 3, bias: 6 }] }), 1); // a tie goes to the lower id
    assert.equal(tokenWith({ logitBias: [{ token: 1, bias: -0.75 }] }), 4);
    assert.equal(tokenWith({ logitBias: [{ token: 99, bias: 100 }] }), 1);
  });

  test('penalises what prompt and output hold, by the sign of its logit', () => {
    assert.equal(tokenWith({ repetitionPenalty: 1.2 }, { prompt: [1] }), 4); // 4 / 1.2 < 3.5
    assert.equal(tokenWith({ repetitionPenalty: 1.2 }, { prompt: [1], generated: [4] }), 1);
    assert.equal(tokenWith({ repetitionPenalty: 0.5 }, { prompt: [2] }), 2); // 3 / 0.5 > 4
    const negative = Float32Array.of(-1, -1.5, -9);
    assert.equal(tokenWith({ repetitionPenalty: 2 }, { prompt: [0], logits: negative }), 1);
    const tiny = { repetitionPenalty: 1e-300, temperature: 1, topP: 0.9, logprobs: 1 };
    assert.equal(tokenWith(tiny, { prompt: [2] }), 2);
  });

  test('takes presence once, and frequency for every occurrence, of the output alone', () => {
    assert.equal(tokenWith({ presencePenalty: 1 }, { prompt: [1, 1] }), 1);
    assert.equal(tokenWith({ presencePenalty: 1 }, { generated: [1, 1, 1] }), 4);
    assert.equal(tokenWith({ presencePenalty: 0.4 }, { generated: [1, 1, 1] }), 1);
    assert.equal(tokenWith({ frequencyPenalty: 0.4 }, { prompt: [1, 1], generated: [1] }), 1);
    assert.equal(tokenWith({ frequencyPenalty: 0.4 }, { generated: [1, 1] }), 4);
    assert.equal(tokenWith({ frequencyPenalty: -2 }, { generated: [3, 3, 3, 3] }), 3);
  });

  test('gives log-probabilities of the logits before all of it', () => {
    const { token, logprobs } = drawWith(
      { logitBias: [{ token: 3, bias: 50 }], temperature: 0.7, logprobs: 2 },
      { prompt: [1] },
    );
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    assert.equal(token, 3);
    assertClose(logprobs!.logprob, -2 - Math.log(sum));
    assert.deepEqual(
      logprobs!.top.map((top) => top.token),
      [1, 4],
    );
    assertClose(logprobs!.top[0]!.logprob, 4 - Math.log(sum));
    assert.deepEqual(drawWith({ logprobs: 0 }).logprobs!.top, []);
    assert.equal(drawWith({}).logprobs, undefined);
  });

  test('draws other tokens for other choices', () => {
    const tokens = Array.from({ length: 40 }, (_, choice) =>
      tokenWith({ temperature: 3 }, { choice }),
    );
    assert.ok(new Set(tokens).size > 3);
  });
});
