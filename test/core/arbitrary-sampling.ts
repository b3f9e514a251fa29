import fc from 'fast-check';
import { GREEDY, type SamplingParams } from '../../services/core/sampling/params.ts';

/** A value that changes nothing in half of the cases. */
function often<T>(neutral: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof(fc.constant(neutral), others);
}

function between(min: number, max: number): fc.Arbitrary<number> {
  return fc.double({ min, max, noNaN: true });
}

const arbitraryTruncation = fc.record({
  topP: often(1, between(0.01, 1)),
  topK: often(0, fc.integer({ min: 1, max: 60 })),
  minP: often(0, fc.oneof(fc.constant(1), between(0, 1))),
});

/** Every parameter, each alone and with others, biases for tokens below `vocabSize`. */
export function arbitrarySamplingOf(vocabSize: number): fc.Arbitrary<SamplingParams> {
  return fc
    .record({
      temperature: fc.oneof(fc.constantFrom(0, 1), between(0.05, 60)),
      truncation: arbitraryTruncation,
      seed: fc.nat({ max: 0xffffffff }),
      repetitionPenalty: often(1, between(0.1, 2)),
      presencePenalty: often(0, between(-2, 2)),
      frequencyPenalty: often(0, between(-2, 2)),
      logitBias: often(
        [],
        fc.uniqueArray(fc.record({ token: fc.nat({ max: vocabSize - 1 }), bias: between(-8, 8) }), {
          selector: ({ token }) => token,
          maxLength: 6,
        }),
      ),
      logprobs: often<number | undefined>(undefined, fc.nat({ max: 20 })),
      promptLogprobs: often<number | undefined>(undefined, fc.nat({ max: 20 })),
    })
    .map(({ truncation, ...fields }) => ({ ...GREEDY, ...fields, ...truncation }));
}
