import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shapeOfStep } from '../../services/core/timing/shape-of-step.ts';
import { makeStepShape } from '../../services/core/timing/step-shape.ts';

test('the shape of a scheduled step is that of its chunks and its decoding sequences', () => {
  const parts = fc.array(
    fc.record({
      start: fc.nat(10_000),
      count: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 500 })),
      sample: fc.boolean(),
      targets: fc.nat(9),
    }),
  );
  const property = fc.property(parts, (drawn) => {
    const sequences = drawn.map(({ targets, ...part }) => {
      return { ...part, promptTargets: { start: 3, end: 3 + targets } };
    });
    const prompted = drawn.reduce((sum, { targets }) => sum + targets, 0);
    const decoding = sequences.filter(({ count }) => count === 1);
    const chunks = sequences.filter(({ count }) => count > 1);
    assert.deepEqual(
      shapeOfStep(sequences),
      makeStepShape({
        prefill: chunks.map(({ start, count }) => ({ newTokens: count, contextTokens: start })),
        decodeSequences: decoding.length,
        decodeContextTokens: decoding.reduce((sum, { start }) => sum + start + 1, 0),
        sampledRows: prompted + sequences.filter(({ sample }) => sample).length,
      }),
    );
  });
  fc.assert(property);
});
