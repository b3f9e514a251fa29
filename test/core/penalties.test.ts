import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { GREEDY } from '../../services/core/sampling/params.ts';
import { penalise } from '../../services/core/sampling/penalties.ts';

const arbitraryLogit = fc.oneof(
  fc.float({ min: -50, max: 50, noNaN: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
);
const arbitraryPenalties = fc.record({
  repetitionPenalty: fc.oneof(
    fc.double({ min: 0.1, max: 2, noNaN: true }),
    fc.double({ min: 0, max: 2, minExcluded: true, noNaN: true }),
  ),
  presencePenalty: fc.double({ min: -2, max: 2, noNaN: true }),
  frequencyPenalty: fc.double({ min: -2, max: 2, noNaN: true }),
});

suite('penalties', () => {
  test('are what f32 arrays hold after each operation', () => {
    const property = fc.property(
      arbitraryLogit,
      arbitraryPenalties,
      fc.nat({ max: 500 }),
      (logit, penalties, count) => {
        const [repetition, presence, frequency] = Float32Array.of(
          ...[penalties.repetitionPenalty, penalties.presencePenalty, penalties.frequencyPenalty],
        );
        const value = Float32Array.of(logit);
        value[0] = logit > 0 ? logit / repetition! : logit * repetition!;
        fc.pre(Math.abs(value[0]!) < 1e38);
        const taken = Float32Array.of(frequency! * count);
        value[0] = value[0]! - taken[0]!;
        if (count > 0) value[0] = value[0]! - presence!;
        // A zero may have either sign.
        assert.equal(penalise(logit, count, { ...GREEDY, ...penalties }) + 0, value[0]! + 0);
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  test('never make a logit infinite', () => {
    const property = fc.property(
      fc.float({ min: -10000, max: 10000, noNaN: true }),
      arbitraryPenalties,
      fc.nat({ max: 1e6 }),
      (logit, penalties, count) => {
        assert.ok(Number.isFinite(penalise(logit, count, { ...GREEDY, ...penalties })));
      },
    );
    fc.assert(property, { numRuns: 2000 });
    assert.ok(Number.isFinite(penalise(5, 1, { ...GREEDY, repetitionPenalty: 1e-300 })));
  });
});
