import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { planShard, TENSOR_PARALLEL_DEGREES } from '../../services/core/model/shard-plan.ts';
import {
  type Candidate,
  drawFromShard,
  type LeafCandidates,
  type Mass,
  massOf,
  mergeMasses,
  precedes,
  topOfLeaf,
  topTokens,
} from '../../services/core/sampling/candidates.ts';
import { type Draw, drawState, gumbel } from '../../services/core/sampling/gumbel.ts';
import { drawFromNucleus } from '../../services/core/sampling/nucleus.ts';
import {
  GREEDY,
  type LogitBias,
  needsNucleus,
  type SamplingParams,
  validateSampling,
} from '../../services/core/sampling/params.ts';
import { drawNaively, type NaiveDraw } from '../support/naive-sampler.ts';
import { makeConfig } from './model-configs.ts';

const LEAVES = 8;

/** Logits with many ties among them, and some far below the others. */
const arbitraryLogits = fc
  .array(
    fc.oneof(
      fc.integer({ min: -8, max: 8 }).map((value) => value / 2),
      fc.double({ min: -20, max: 20, noNaN: true }),
    ),
    { minLength: 1, maxLength: 200, size: 'max' },
  )
  .map((values) => Float32Array.from(values));

const arbitraryDraw = fc.record({
  seed: fc.nat({ max: 0xffffffff }),
  choice: fc.nat({ max: 3 }),
  position: fc.nat({ max: 200 }),
});

const arbitraryNucleus: fc.Arbitrary<SamplingParams> = fc
  .record({
    temperature: fc.double({ min: 0.05, max: 60, noNaN: true }),
    topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
    topK: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 })),
    minP: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map((fields) => ({ ...GREEDY, ...fields }))
  .filter(needsNucleus);

/** The vocabulary's leaves as candidate lists of at most `limit`, and their masses. */
function splitLeaves(
  logits: Float32Array,
  temperature: number,
  limit: number,
): { leaves: LeafCandidates[]; masses: Mass[] } {
  const plan = planShard(makeConfig({ vocabSize: logits.length }), 1, 0);
  const parts = plan.leaves.map(({ tokens }) => logits.subarray(tokens.start, tokens.end));
  return {
    leaves: parts.map((part, leaf) => topOfLeaf(part, plan.leaves[leaf]!.tokens, limit)),
    masses: parts.map((part) => massOf(part, temperature)),
  };
}

/** Draws with a sort of the whole vocabulary. */
function sortAndDraw(logits: Float32Array, sampling: SamplingParams, draw: Draw): NaiveDraw {
  const prompt = new Array<number>(draw.position).fill(0);
  const sequence = { prompt, generated: [], minTokens: 0, stopTokenIds: [], choice: draw.choice };
  return drawNaively(logits, { ...sequence, sampling: { ...sampling, seed: draw.seed } });
}

suite('drawing by counter', () => {
  test('draws follow the softmax of the logits', () => {
    const logits = Float32Array.of(0, 1, 2, -1, 0.5, 3, -4, 1.5);
    const temperature = 1.3;
    const weights = Array.from(logits, (logit) => Math.exp(logit / temperature));
    const total = weights.reduce((a, b) => a + b, 0);
    const draws = 20_000;
    for (const by of ['position', 'seed'] as const) {
      const counts = new Array<number>(logits.length).fill(0);
      for (let i = 0; i < draws; i++) {
        const draw = { seed: 3, choice: 0, position: 9, [by]: i };
        const params = { ...GREEDY, temperature };
        counts[drawFromShard(logits, 0, params, draw)!.token]! += 1;
      }
      const chiSquare = counts.reduce((sum, count, token) => {
        const expected = (draws * weights[token]!) / total;
        return sum + (count - expected) ** 2 / expected;
      }, 0);
      assert.ok(chiSquare < 24.3, `chi-square of 7 degrees of freedom by ${by}: ${chiSquare}`); // p = 0.001
    }
  });

  test('noise is finite, and differs between tokens, positions, choices and seeds', () => {
    const noises = new Set<number>();
    for (let i = 0; i < 100; i++) {
      for (const draw of [
        { seed: i, choice: 0, position: 0 },
        { seed: 1000, choice: i, position: 0 },
        { seed: 1000, choice: 1000, position: i },
      ]) {
        noises.add(gumbel(drawState(draw), 5));
      }
      noises.add(gumbel(77, i));
    }
    assert.equal(noises.size, 400);
    assert.ok([...noises].every(Number.isFinite));
  });

  test('the winners of any shards hold the winner of the whole vocabulary', () => {
    const property = fc.property(
      arbitraryLogits,
      arbitraryDraw,
      fc.constantFrom(0, 0.5, 1, 50),
      fc.constantFrom(...TENSOR_PARALLEL_DEGREES),
      (logits, draw, temperature, degree) => {
        const params = { ...GREEDY, temperature };
        const config = makeConfig({ vocabSize: logits.length });
        const winners = Array.from({ length: degree }, (_, rank) => {
          const { start, end } = planShard(config, degree, rank).tokens;
          return drawFromShard(logits.subarray(start, end), start, params, draw);
        }).filter((winner): winner is Candidate => winner !== undefined);
        const best = winners.reduce((a, b) => (precedes(b, a) ? b : a));
        assert.deepEqual(best, drawFromShard(logits, 0, params, draw));
        if (temperature === 0) assert.equal(best.token, logits.indexOf(Math.max(...logits)));
      },
    );
    fc.assert(property);
  });

  test('a temperature of almost 0 takes the largest logit', () => {
    const draw = { seed: 7, choice: 0, position: 3 };
    const params = { ...GREEDY, temperature: 1e-310 };
    assert.equal(drawFromShard(Float32Array.of(1, 2, 9, 3), 0, params, draw)?.token, 2);
  });

  test('ties go to the lowest id', () => {
    const draw = { seed: 0, choice: 0, position: 0 };
    const logits = Float32Array.of(1, 3, 3, 2);
    assert.deepEqual(drawFromShard(logits, 10, GREEDY, draw), { token: 11, score: 3 });
    const { candidates } = topOfLeaf(Float32Array.of(1, 3, 3, 1), { start: 4, end: 8 }, 9);
    assert.deepEqual(
      candidates.map(({ token }) => token),
      [5, 6, 4, 7],
    );
    assert.equal(drawFromShard(new Float32Array(0), 0, GREEDY, draw), undefined);
  });
});

suite('the nucleus', () => {
  test('equals a full sort of the vocabulary', () => {
    const property = fc.property(
      arbitraryLogits,
      arbitraryNucleus,
      arbitraryDraw,
      (logits, params, draw) => {
        const { leaves, masses } = splitLeaves(logits, params.temperature, logits.length);
        const mass = mergeMasses(masses, params.temperature);
        const { token, margin } = sortAndDraw(logits, params, draw);
        fc.pre(margin > 1e-9);
        assert.equal(drawFromNucleus(leaves, mass, params, draw), token);
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });

  test('short candidate lists give the same token or none, never another', () => {
    let proven = 0;
    let unproven = 0;
    const property = fc.property(
      arbitraryLogits,
      arbitraryNucleus,
      arbitraryDraw,
      fc.integer({ min: 1, max: 12 }),
      (logits, params, draw, limit) => {
        const { leaves, masses } = splitLeaves(logits, params.temperature, limit);
        const mass = mergeMasses(masses, params.temperature);
        const whole = topOfLeaf(logits, { start: 0, end: logits.length }, logits.length);
        const expected = drawFromNucleus([whole], mass, params, draw);
        assert.ok(expected !== undefined, 'whole logits prove every nucleus');
        const token = drawFromNucleus(leaves, mass, params, draw);
        if (token === undefined) unproven++;
        else assert.equal(token, expected);
        if (token !== undefined) proven++;
        const isCutByK = params.minP === 0 && logits.length >= params.topK;
        if (limit * LEAVES < params.topK && isCutByK) {
          assert.equal(token, undefined);
        }
      },
    );
    fc.assert(property, { numRuns: 1000 });
    assert.ok(proven > 50 && unproven > 50, 'both happen');
  });

  test('masses that are merged in the tree are the same at every degree, and right', () => {
    const property = fc.property(
      arbitraryLogits,
      fc.double({ min: 0.05, max: 60, noNaN: true }),
      (logits, temperature) => {
        const { masses } = splitLeaves(logits, temperature, 1);
        const whole = mergeMasses(masses, temperature);
        for (const degree of TENSOR_PARALLEL_DEGREES) {
          const perChip = LEAVES / degree;
          const chips = Array.from({ length: degree }, (_, rank) =>
            mergeMasses(masses.slice(rank * perChip, (rank + 1) * perChip), temperature),
          );
          assert.deepEqual(mergeMasses(chips, temperature), whole);
        }
        const maximum = Math.max(...logits);
        const sum = logits.reduce((a, logit) => a + Math.exp((logit - maximum) / temperature), 0);
        assert.equal(whole.maximum, maximum);
        assert.ok(Math.abs(whole.sum / sum - 1) < 1e-12);
      },
    );
    fc.assert(property);
  });
});

suite('the likeliest tokens', () => {
  test('are the first of a full sort, however many', () => {
    const property = fc.property(arbitraryLogits, fc.nat({ max: 220 }), (logits, limit) => {
      const all = Array.from(logits, (score, index) => ({ token: 7 + index, score }));
      all.sort((a, b) => b.score - a.score || a.token - b.token);
      assert.deepEqual(topTokens(logits, 7, limit), all.slice(0, limit));
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('may be masked: then they weigh nothing', () => {
    const masked = new Float32Array(3).fill(Number.NEGATIVE_INFINITY);
    const nothing = { maximum: Number.NEGATIVE_INFINITY, sum: 0 };
    assert.deepEqual(massOf(masked, 0.5), nothing);
    assert.deepEqual(massOf(new Float32Array(0), 0.5), nothing);
    const some = massOf(Float32Array.of(1, 2), 0.5);
    assert.deepEqual(mergeMasses([nothing, some], 0.5), some);
    assert.deepEqual(mergeMasses([nothing, nothing], 0.5), nothing);
  });
});

suite('sampling parameters', () => {
  test('what is out of range is refused by name', () => {
    const bias = (token: number, value: number): LogitBias => ({ token, bias: value });
    const refused: [Partial<SamplingParams>, RegExp][] = [
      [{ temperature: -1 }, /^temperature must be between 0 and 100, not -1$/],
      [{ temperature: Number.NaN }, /^temperature must be between 0 and 100, not NaN$/],
      [{ topP: 0 }, /^top_p must be above 0 and at most 1, not 0$/],
      [{ topP: 1.1 }, /^top_p must be above 0 and at most 1, not 1.1$/],
      [{ topK: -1 }, /^top_k must be a whole number from 0 \(all tokens\), not -1$/],
      [{ topK: 1.5 }, /^top_k must be a whole number/],
      [{ minP: -0.1 }, /^min_p must be between 0 and 1, not -0.1$/],
      [{ minP: Number.NaN }, /^min_p must be between 0 and 1, not NaN$/],
      [{ repetitionPenalty: 0 }, /^repetition_penalty must be above 0 and at most 100, not 0$/],
      [{ repetitionPenalty: 101 }, /^repetition_penalty must be above 0 and at most 100, not 101$/],
      [{ presencePenalty: -2.1 }, /^presence_penalty must be between -2 and 2, not -2.1$/],
      [{ frequencyPenalty: 3 }, /^frequency_penalty must be between -2 and 2, not 3$/],
      [{ logitBias: [bias(7, 101)] }, /^logit_bias\[7\] must be between -100 and 100, not 101$/],
      [
        { logitBias: [bias(-1, 1)] },
        /^logit_bias must name tokens by whole numbers from 0, not -1$/,
      ],
      [{ logitBias: [bias(1.5, 1)] }, /^logit_bias must name tokens by whole numbers/],
      [
        { logitBias: [bias(4, 1), bias(5, 1), bias(4, 2)] },
        /^logit_bias must have one value for a token, not several for token 4$/,
      ],
      [{ logprobs: 129 }, /^logprobs must be a whole number from 0 to 128, not 129$/],
      [{ logprobs: -1 }, /^logprobs must be a whole number from 0 to 128, not -1$/],
      [{ logprobs: 0.5 }, /^logprobs must be a whole number/],
      [{ promptLogprobs: 129 }, /^prompt_logprobs must be a whole number from 0 to 128, not 129$/],
      [{ seed: 2 ** 32 }, /^seed must be a whole number from 0 to 4294967295, not 4294967296$/],
    ];
    for (const [fields, message] of refused) {
      const params = { ...GREEDY, ...fields };
      assert.throws(() => validateSampling(params), { name: 'InvalidArgumentError', message });
    }
    validateSampling({
      ...{ temperature: 100, topP: 1, topK: 0xffffffff, minP: 1, seed: 0xffffffff, logprobs: 128 },
      ...{ repetitionPenalty: 100, presencePenalty: -2, frequencyPenalty: 2 },
      promptLogprobs: 128,
      logitBias: [bias(0, -100), bias(0xffffffff, 100)],
    });
    validateSampling(GREEDY);
  });
});
