import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  drawOutputLength,
  OUTPUT_LENGTHS,
  type OutputLengthDistribution,
} from '../../services/core/sampling/output-lengths.ts';
import {
  drawPhantomToken,
  type PhantomTokens,
  phantomLogprobs,
} from '../../services/core/sampling/phantom-tokens.ts';

const DRAWS = 20_000;

function drawMany(distribution: OutputLengthDistribution, mean: number): number[] {
  return Array.from({ length: DRAWS }, (_, seed) =>
    drawOutputLength({ distribution, mean }, { seed, choice: 0 }),
  );
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly ratio: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, ratio: Math.sqrt(squares / values.length) / mean };
}

suite('lengths of outputs', () => {
  for (const distribution of ['lognormal', 'geometric'] as const) {
    test(`${distribution}: mean and deviation are as documented`, () => {
      const { mean, ratio } = momentsOf(drawMany(distribution, 200));
      assert.ok(Math.abs(mean / 200 - 1) < 0.03, `mean ${mean}`);
      assert.ok(Math.abs(ratio - 1) < 0.06, `deviation over mean ${ratio}`);
    });
  }

  test('are whole, from 1, and functions of seed and choice', () => {
    const draw = fc.record({ seed: fc.nat({ max: 0xffffffff }), choice: fc.nat({ max: 127 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...OUTPUT_LENGTHS),
        fc.nat({ max: 3000 }),
        draw,
        (name, mean, of) => {
          const lengths = { distribution: name, mean: Math.max(1, mean) };
          const length = drawOutputLength(lengths, of);
          assert.ok(length >= 1 && (Number.isInteger(length) || name === 'max'));
          assert.equal(drawOutputLength(lengths, of), length);
        },
      ),
    );
    assert.equal(new Set(drawMany('fixed', 7)).size, 1);
    const choices = Array.from({ length: 50 }, (_, choice) =>
      drawOutputLength({ distribution: 'lognormal', mean: 500 }, { seed: 1, choice }),
    );
    assert.ok(new Set(choices).size > 40, 'samples of one request have lengths of their own');
  });
});

suite('phantom tokens', () => {
  const model: PhantomTokens = {
    drawn: { start: 100, end: 140 },
    stopTokenIds: [120, 7],
    lengths: { distribution: 'geometric', mean: 12 },
  };

  test('are of the drawn ids, no masked one, and once the end of text', () => {
    const arbitrary = fc.record({
      seed: fc.nat({ max: 0xffffffff }),
      choice: fc.nat({ max: 9 }),
      promptLength: fc.nat({ max: 50 }),
      minTokens: fc.nat({ max: 20 }),
      stopTokenIds: fc.uniqueArray(fc.integer({ min: 100, max: 139 }), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(arbitrary, (sequence) => {
        const length = drawOutputLength(model.lengths, sequence);
        const last = Math.max(length - 1, sequence.minTokens);
        for (let index = 0; index < 80; index++) {
          const token = drawPhantomToken(model, sequence, sequence.promptLength + index);
          if (index === last) assert.equal(token, 120);
          else assert.ok(token >= 100 && token < 140 && token !== 120);
          const isMasked = index < sequence.minTokens && sequence.stopTokenIds.includes(token);
          assert.ok(!isMasked, `token ${index} is ${token}`);
        }
      }),
    );
  });

  test('are equally likely', () => {
    const counts = new Map<number, number>();
    const sequence = { choice: 0, promptLength: 0, minTokens: 0, stopTokenIds: [] };
    const endless: PhantomTokens = { ...model, lengths: { distribution: 'max', mean: 1 } };
    for (let seed = 0; seed < DRAWS; seed++) {
      const token = drawPhantomToken(endless, { ...sequence, seed }, seed % 50);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    // The id after a stop token is drawn for both.
    for (const [token, count] of counts) {
      const expected = (DRAWS / 40) * (token === 121 ? 2 : 1);
      assert.ok(Math.abs(count - expected) < 6 * Math.sqrt(expected), `${token}: ${count}`);
    }
    assert.equal(counts.size, 39);
  });

  test('have the log-probabilities of equally likely tokens, the drawn one first', () => {
    const { logprob, top } = phantomLogprobs(model, 139, 3);
    assert.equal(logprob, -Math.log(40));
    assert.deepEqual(
      top.map(({ token }) => token),
      [139, 100, 101],
    );
    assert.equal(phantomLogprobs(model, 100, 0).top.length, 0);
  });
});
