import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { RateSearch } from '../../services/sim/capacity/rate-search.ts';

/** Searches for a threshold; returns what was found and how many rates were tried. */
function search(guess: number, holds: (rate: number) => boolean) {
  const rates = new RateSearch(guess);
  let tried = 0;
  for (let next = rates.next(); next.length > 0; next = rates.next()) {
    tried += next.length;
    rates.take(next, next.map(holds));
  }
  return { highest: rates.highest, tried };
}

suite('a search for the highest rate', () => {
  test('finds a threshold within 1 % from below, in few rounds', () => {
    const property = fc.property(
      fc.double({ min: 0.1, max: 1e4, noNaN: true }),
      fc.double({ min: 0.01, max: 3.9, noNaN: true }),
      (guess, share) => {
        const threshold = guess * share;
        const { highest, tried } = search(guess, (rate) => rate <= threshold);
        assert.ok(highest <= threshold && highest >= 0.985 * threshold, `${highest}/${threshold}`);
        assert.ok(tried <= 40);
      },
    );
    fc.assert(property);
  });

  test('ends where no rate holds, and where all do', () => {
    assert.equal(search(10, () => false).highest, 0);
    assert.equal(search(10, () => true).highest, 40);
  });
});
