import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Distribution } from '../../services/sim/capacity/distribution.ts';
import { gamma } from '../../services/sim/capacity/variates.ts';
import { Random } from '../../services/sim/random.ts';

/** numpy.percentile, written down anew. */
function percentileOf(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = ((sorted.length - 1) * percent) / 100;
  const [below, above] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return below + (above - below) * (rank % 1);
}

suite('a distribution', () => {
  test('of few values is exact', () => {
    const runs = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 9 })),
      { minLength: 1 },
    );
    const property = fc.property(runs, fc.integer({ min: 0, max: 100 }), (given, percent) => {
      const distribution = new Distribution();
      for (const [value, times] of given) distribution.add(value, times);
      const values = given.flatMap(([value, times]) => new Array<number>(times).fill(value));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      const near = (a: number, b: number) => assert.ok(Math.abs(a - b) <= 1e-6 * (1 + mean));
      assert.equal(distribution.count, values.length);
      near(distribution.mean, mean);
      near(distribution.deviation, Math.sqrt(square));
      near(distribution.percentiles([percent])[0]!, percentileOf(values, percent));
      assert.ok(distribution.isExact);
    });
    fc.assert(property);
  });

  test('of many values has percentiles within 0.1 %, and exact moments, in bounded memory', () => {
    const random = new Random(1);
    const values = Array.from({ length: 300_000 }, () => 20_000 * gamma(random, 2));
    const distribution = new Distribution();
    for (const value of values) distribution.add(value);
    assert.equal(distribution.isExact, false);
    for (const percent of [1, 50, 90, 99, 99.9]) {
      const exact = percentileOf(values, percent);
      const [found] = distribution.percentiles([percent]);
      assert.ok(Math.abs(found! / exact - 1) < 0.001, `${percent}: ${found} is ${exact}`);
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(Math.abs(distribution.mean / mean - 1) < 1e-9);
  });

  test('of nothing is nothing', () => {
    assert.deepEqual(new Distribution().percentiles([50, 99]), [0, 0]);
    assert.equal(new Distribution().deviation, 0);
  });
});
