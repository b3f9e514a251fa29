import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import type { Architecture } from '../../services/core/architecture/architecture.ts';
import { makeParametric } from '../../services/core/architecture/parametric.ts';
import { FORMATS } from '../../services/core/hardware/chip.ts';
import { CHIPS } from '../../services/core/hardware/chip-catalogue.ts';
import { findLayoutProblem, type Layout } from '../../services/core/timing/layout.ts';
import { makePricer, type PlacedModel, planLoad } from '../../services/core/timing/load-price.ts';
import { openLoopState } from '../../services/core/timing/open-loop.ts';
import { SOFTWARE_VERSIONS } from '../../services/core/timing/software-version.ts';
import { steadyState } from '../../services/core/timing/steady-state.ts';
import type { StepPricer } from '../../services/core/timing/step-pricer.ts';
import { makeStepShape, type StepShape } from '../../services/core/timing/step-shape.ts';
import { packagePath } from '../../services/runtime/package-info.ts';

const MODELS: readonly Architecture[] = [
  ...[
    'llama-3-8b',
    'llama-3.1-405b',
    'mixtral-8x7b',
    'deepseek-v3',
    'qwen3-30b-a3b',
    'wan-2.1-14b',
  ].map((name) => findArchitecture(name, packagePath('models/catalogue'))),
  makeParametric('moe', 100e12),
];
const degree = fc.constantFrom(1, 2, 4, 8);

/** Any model on any chip with any software and layout that it takes. */
const placed: fc.Arbitrary<PlacedModel> = fc
  .record({
    architecture: fc.constantFrom(...MODELS),
    chip: fc.constantFrom(...CHIPS),
    layout: fc.record({ tp: degree, pp: degree, ep: fc.constantFrom(1, 2, 8, 64), dp: degree }),
    software: fc.constantFrom(...SOFTWARE_VERSIONS.filter(({ name }) => name !== 'as-claimed')),
    weights: fc.constantFrom(...FORMATS),
    kv: fc.constantFrom('fp8' as const, 'bf16' as const),
  })
  .filter(({ chip, weights }) => chip.peakFlops[weights] !== undefined)
  .map(({ weights, kv, ...rest }) => ({
    ...rest,
    layout: withinModel(rest.layout, rest.architecture),
    precision: { weights, kv },
    maxNumBatchedTokens: rest.software.maxNumBatchedTokens,
    maxNumSeqs: rest.software.maxNumSeqs,
  }));

/** From no token to a million, of none to thousands of sequences. */
const shape: fc.Arbitrary<StepShape> = fc
  .record({
    newTokens: fc.constantFrom(0, 1, 2, 127, 2048, 32_768, 1_000_000),
    contextTokens: fc.constantFrom(0, 1, 1_000_000),
    decode: fc.constantFrom(0, 1, 3, 255, 4096),
    context: fc.constantFrom(1, 2048, 1_000_000),
  })
  .map(({ newTokens, contextTokens, decode, context }) =>
    makeStepShape({
      prefill: newTokens === 0 ? [] : [{ newTokens, contextTokens }],
      decodeSequences: decode,
      decodeContextTokens: decode * context,
    }),
  );

function withinModel(layout: Layout, architecture: Architecture): Layout {
  return findLayoutProblem(layout, architecture) === undefined ? layout : { ...layout, ep: 1 };
}

suite('prices of extreme steps', () => {
  test('are finite and positive, and no part of a chip is busier than it can be', () => {
    const property = fc.property(placed, shape, (model, step) => {
      const price = makePricer(model, 'middle').price(step);
      assert.ok(Number.isFinite(price.seconds) && price.seconds >= 0, `${price.seconds}`);
      assert.ok(Object.values(price.breakdown).every((part) => part >= 0));
      for (const use of [price.mfu, price.hbmUtilization, price.linkUtilization]) {
        assert.ok((use >= 0 && use <= 1) || (price.seconds === 0 && Number.isNaN(use)), `${use}`);
      }
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test('never fall with more tokens, sequences or context', () => {
    const property = fc.property(placed, shape, shape, (model, one, two) => {
      const sum = Object.fromEntries(
        Object.keys(one).map((key) => [
          key,
          one[key as keyof StepShape] + two[key as keyof StepShape],
        ]),
      ) as unknown as StepShape;
      const pricer: StepPricer = makePricer(model, 'middle');
      assert.ok(pricer.seconds(sum) >= pricer.seconds(one) * (1 - 1e-9));
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

suite('requests that arrive on their own', () => {
  const load = { inputTokens: 467, outputTokens: 64, arrivals: 'spread' } as const;
  const serving = (model: PlacedModel) => ({
    ...load,
    concurrency: Number.POSITIVE_INFINITY,
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 256,
    kvTokens: planLoad(model).kvTokens,
    kvReservation: model.software.kvReservation,
  });
  const fitting = placed.filter(
    (model) => model.architecture.diffusion === undefined && planLoad(model).kvTokens > 467 + 64,
  );

  test('are served at their rate, and wait the longer the more arrive', () => {
    const share = fc.double({ min: 0.01, max: 0.9, noNaN: true });
    const property = fc.property(fitting, share, (model, part) => {
      const pricer = makePricer(model, 'middle');
      const most = steadyState(pricer, serving(model)).requestsPerSecond;
      const state = openLoopState(pricer, serving(model), part * most);
      assert.ok(Math.abs(state.requestsPerSecond / (part * most) - 1) < 0.01);
      const busier = openLoopState(pricer, serving(model), Math.min(1, 1.1 * part) * most);
      assert.ok(busier.decodeSequences >= state.decodeSequences * (1 - 1e-9));
    });
    fc.assert(property, { numRuns: 200 });
  });

  test('are refused where more come than are served, with the most that are', () => {
    const model = fc.sample(fitting, { numRuns: 1, seed: 1 })[0]!;
    const pricer = makePricer(model, 'middle');
    assert.throws(
      () => openLoopState(pricer, serving(model), 1e9),
      /requestsPerSecond must be above 0 and at most the [\d.e+]+ that are served, not 1000000000/,
    );
  });
});
