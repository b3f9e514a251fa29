import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawLength } from '../../services/sim/capacity/lengths.ts';
import { PromptTokens } from '../../services/sim/capacity/prompt-tokens.ts';
import { gamma, normal } from '../../services/sim/capacity/variates.ts';
import { arrivalRate, planRequests } from '../../services/sim/capacity/workload.ts';
import { Random } from '../../services/sim/random.ts';
import { makeWorkload } from '../support/capacity.ts';

const DRAWS = 40_000;

function momentsOf(draw: () => number): { mean: number; deviation: number } {
  const values = Array.from({ length: DRAWS }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS;
  return { mean, deviation: Math.sqrt(square) };
}

function assertNear(actual: number, expected: number, share = 0.03): void {
  assert.ok(Math.abs(actual - expected) <= share * Math.abs(expected), `${actual} is ${expected}`);
}

suite('draws', () => {
  test('have the moments of their distributions', () => {
    const random = new Random(3);
    const uniform = momentsOf(() => random.uniform());
    assertNear(uniform.mean, 0.5);
    assertNear(uniform.deviation, Math.sqrt(1 / 12));
    assertNear(momentsOf(() => normal(random)).deviation, 1);
    for (const shape of [0.3, 1, 2.5, 20]) {
      const { mean, deviation } = momentsOf(() => gamma(random, shape));
      assertNear(mean, shape);
      assertNear(deviation, Math.sqrt(shape), 0.05);
    }
  });

  test('of lengths have the mean and the spread that were asked for', () => {
    const random = new Random(4);
    const draw = (distribution: 'fixed' | 'uniform' | 'lognormal', spread: number) =>
      momentsOf(() => drawLength(random, 1000, { distribution, spread }));
    assert.deepEqual(draw('fixed', 0.5), { mean: 1000, deviation: 0 });
    const uniform = draw('uniform', 0.6);
    assertNear(uniform.mean, 1000);
    assertNear(uniform.deviation, 600 / Math.sqrt(3));
    const lognormal = draw('lognormal', 0.8);
    assertNear(lognormal.mean, 1000);
    assertNear(lognormal.deviation, 800, 0.06);
  });
});

suite('a workload', () => {
  test('arrives at its rate, with the regularity of its burstiness', () => {
    for (const burstiness of [0.25, 1, 16]) {
      const drawn = makeWorkload({ requests: DRAWS, requestRate: 50, burstiness });
      const requests = planRequests({ kind: 'drawn', ...drawn });
      assertNear(arrivalRate(requests), 50);
      let index = 1;
      const gaps = requests.slice(1).map(({ arrivalMicros }) => {
        return arrivalMicros - requests[index++ - 1]!.arrivalMicros;
      });
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
      const square = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
      assertNear(Math.sqrt(square) / mean, 1 / Math.sqrt(burstiness), 0.05);
    }
  });

  test('comes at its rate from the first requests on, whatever the seed', () => {
    const seeds = Array.from({ length: 400 }, (_, seed) => seed);
    const seconds = seeds.map((seed) => {
      const drawn = makeWorkload({ requests: 6, requestRate: 50, burstiness: 1, seed });
      return planRequests({ kind: 'drawn', ...drawn }).at(-1)!.arrivalMicros / 1e6;
    });
    assertNear(seconds.reduce((sum, each) => sum + each, 0) / seeds.length, 5 / 50, 0.1);
  });

  test('has the same lengths at every rate, and others with another seed', () => {
    const lengthsOf = (changes: object) =>
      planRequests({
        kind: 'drawn',
        ...makeWorkload({ lengths: { distribution: 'uniform', spread: 0.5 }, ...changes }),
      }).map(({ inputTokens }) => inputTokens);
    assert.deepEqual(lengthsOf({ requestRate: 3 }), lengthsOf({ requestRate: 30 }));
    assert.notDeepEqual(lengthsOf({ seed: 1 }), lengthsOf({ seed: 2 }));
  });

  test('of a trace is cut and comes at another rate', () => {
    const trace = [0, 1e6, 4e6, 9e6].map((arrivalMicros) => ({
      arrivalMicros,
      inputTokens: 5,
      outputTokens: 5,
      contentIds: undefined,
    }));
    const replay = (requests?: number, requestRate?: number) =>
      planRequests({ kind: 'replayed', trace, requests, requestRate }).map(
        ({ arrivalMicros }) => arrivalMicros,
      );
    assert.deepEqual(replay(), [0, 1e6, 4e6, 9e6]);
    assert.deepEqual(replay(3, 1), [0, 0.5e6, 2e6]);
    assert.deepEqual(replay(2, Number.POSITIVE_INFINITY), [0, 0]);
  });
});

test('prompts of equal content have equal tokens, whatever else they have', () => {
  const prompts = new PromptTokens();
  const tokensOf = (inputTokens: number, contentIds: readonly number[] | undefined) =>
    prompts.of({ arrivalMicros: 0, outputTokens: 1, inputTokens, contentIds });
  const long = tokensOf(1300, [7, 8, 9]);
  const short = tokensOf(600, [7, 8]);
  assert.equal(long.length, 1300);
  assert.deepEqual(long.slice(0, 600), short);
  assert.notDeepEqual(tokensOf(600, [7, 9]).slice(512), short.slice(512));
  assert.equal(tokensOf(5, undefined).length, 5);
  assert.equal(tokensOf(900, undefined).length, 900);
});
