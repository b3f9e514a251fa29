import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { makeParametric } from '../../services/core/architecture/parametric.ts';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { makeRecordedGraphs } from '../../services/core/timing/recorded-graphs.ts';
import { findSoftwareVersion } from '../../services/core/timing/software-version.ts';
import { type LimitedRun, limitsOf } from '../../services/core/timing/step-limits.ts';
import { makeStepShape } from '../../services/core/timing/step-shape.ts';
import { LLAMA_70B } from '../support/pricing.ts';

const RUN: LimitedRun = {
  architecture: LLAMA_70B,
  chip: findChip('H100'),
  layout: { tp: 2, pp: 1, ep: 1, dp: 1 },
  precision: { weights: 'fp8', kv: 'fp8' },
  inputTokens: 2048,
  outputTokens: 128,
};
const BENCHED = findSoftwareVersion('trtllm-0.15.0');

suite('the limits of a run', () => {
  test('are those that the benchmark works out, by hand', () => {
    // (160 GiB − 70.55) × 0.95 / (2 × 80 × 8 × 128 B) / 2,176 = 255.9 sequences; × 17 = 4,350 tokens
    assert.deepEqual(limitsOf(BENCHED, RUN), { maxNumSeqs: 256, maxNumBatchedTokens: 4608 });
    const one = { ...RUN, layout: { ...RUN.layout, tp: 1 } };
    assert.deepEqual(limitsOf(BENCHED, one), { maxNumSeqs: 64, maxNumBatchedTokens: 2048 });
    const eight = { ...RUN, layout: { ...RUN.layout, tp: 8 } };
    assert.deepEqual(limitsOf(BENCHED, eight), { maxNumSeqs: 1792, maxNumBatchedTokens: 28_672 });
  });

  test('are fixed where a version says so', () => {
    const fixed = { maxNumSeqs: 2048, maxNumBatchedTokens: 2048 };
    assert.deepEqual(limitsOf(findSoftwareVersion('trtllm-0.10.0'), RUN), fixed);
  });

  test('lie between the bounds, also for a model that does not fit', () => {
    const property = fc.property(
      fc.constantFrom(LLAMA_70B, makeParametric('moe', 2e12), makeParametric('dense', 1e9)),
      fc.constantFrom(1, 2, 4, 8),
      fc.constantFrom(1, 4),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 100_000 }),
      (architecture, tp, pp, inputTokens, outputTokens) => {
        const layout = { tp, pp, ep: 1, dp: 1 };
        const limits = limitsOf(BENCHED, {
          ...RUN,
          architecture,
          layout,
          inputTokens,
          outputTokens,
        });
        assert.ok(limits.maxNumSeqs >= 64 && limits.maxNumSeqs <= 4096 * pp);
        assert.ok(limits.maxNumBatchedTokens >= 2048 && limits.maxNumBatchedTokens <= 32_768);
        assert.ok(Object.values(limits).every(Number.isInteger));
      },
    );
    fc.assert(property);
  });
});

suite('recorded graphs', () => {
  const decode = (sequences: number) =>
    makeStepShape({ decodeSequences: sequences, decodeContextTokens: 100 * sequences });

  test('pad steps of decoding to the next size, and to the largest batch in place of a larger one', () => {
    const graphs = makeRecordedGraphs([1, 2, 4, 8, 1024, 2048], 1500);
    const padded = [1, 3, 9, 1024, 1025, 1500, 1501].map((n) => graphs.launchedRows(decode(n)));
    assert.deepEqual(padded, [1, 4, 1024, 1024, 1500, 1500, 1501]);
    assert.deepEqual(
      [1500, 1501].map((n) => graphs.covers(decode(n))),
      [true, false],
    );
  });

  test('leave steps with a part of a prompt, and versions without graphs, as they are', () => {
    const mixed = makeStepShape({
      prefill: [{ newTokens: 100, contextTokens: 0 }],
      decodeSequences: 3,
    });
    assert.equal(makeRecordedGraphs([8]).launchedRows(mixed), 103);
    assert.equal(makeRecordedGraphs([8]).covers(mixed), false);
    assert.equal(makeRecordedGraphs([]).launchedRows(decode(3)), 3);
    assert.equal(makeRecordedGraphs([8]).covers(makeStepShape({})), false);
  });
});
