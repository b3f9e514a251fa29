import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { makeParametric } from '../../services/core/architecture/parametric.ts';
import type { Chip } from '../../services/core/hardware/chip.ts';
import { H100 } from '../../services/core/hardware/chips/h100.ts';
import { CALIBRATION } from '../../services/core/timing/calibration.ts';
import { ratesOf } from '../../services/core/timing/chip-rates.ts';
import type { StepPricer } from '../../services/core/timing/step-pricer.ts';
import { makeStepShape, type StepShape } from '../../services/core/timing/step-shape.ts';
import { makePricer, makeRates } from '../support/pricing.ts';

const count = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });

/** Steps of up to three chunks and some hundred decoding sequences. */
const arbitraryShape: fc.Arbitrary<StepShape> = fc
  .record({
    prefill: fc.array(
      fc.record({ newTokens: fc.integer({ min: 1, max: 4096 }), contextTokens: count(30_000) }),
      { maxLength: 3 },
    ),
    decodeSequences: count(512),
    meanContext: fc.integer({ min: 1, max: 16_000 }),
  })
  .map(({ prefill, decodeSequences, meanContext }) =>
    makeStepShape({
      prefill,
      decodeSequences,
      decodeContextTokens: decodeSequences * meanContext,
    }),
  );

const pricers: readonly StepPricer[] = [
  makePricer(),
  makePricer({ rates: makeRates('H200'), version: CALIBRATION.versions['trtllm-0.15.0']! }),
  makePricer({
    rates: makeRates('B200'),
    architecture: makeParametric('moe', 100e9),
    layout: { tp: 4, pp: 2, ep: 8, dp: 2 },
    version: CALIBRATION.versions['vllm-0.11']!,
  }),
];

/** H100 with some of its figures multiplied. */
function scaledH100(change: {
  readonly bandwidth?: number;
  readonly flops?: number;
  readonly links?: number;
}): StepPricer {
  const { bandwidth = 1, flops = 1, links = 1 } = change;
  const scale = <T extends { readonly value: Chip['memoryBytes']['value'] }>(
    figure: T,
    by: number,
  ): T => ({
    ...figure,
    value: (figure.value as number) * by,
  });
  const { bestGemmFlops: _, ...sheet } = H100;
  const chip: Chip = {
    ...sheet,
    memoryBytesPerSecond: scale(H100.memoryBytesPerSecond, bandwidth),
    peakFlops: { fp8: scale(H100.peakFlops.fp8!, flops), bf16: scale(H100.peakFlops.bf16!, flops) },
    links: { ...H100.links, bytesPerSecond: scale(H100.links.bytesPerSecond, links) },
  };
  return makePricer({ rates: ratesOf(chip, CALIBRATION.kernels, 'middle') });
}

const closeTo = (actual: number, expected: number): void =>
  assert.ok(
    Math.abs(actual - expected) <= 1e-9 * Math.abs(expected) + 1e-15,
    `${actual} is ${expected}`,
  );

suite('the price of a step', () => {
  test('its breakdown adds up, and the fast path says the same', () => {
    const property = fc.property(arbitraryShape, fc.constantFrom(...pricers), (shape, pricer) => {
      const price = pricer.price(shape);
      const { computeSeconds, memorySeconds, collectiveSeconds, overheadSeconds } = price.breakdown;
      closeTo(computeSeconds + memorySeconds + collectiveSeconds + overheadSeconds, price.seconds);
      assert.equal(pricer.seconds(shape), price.seconds);
      for (const share of [price.mfu, price.hbmUtilization, price.linkUtilization]) {
        assert.ok(share >= 0 && share <= 1, `${share} is a share`);
      }
      assert.ok(price.intervalSeconds <= price.seconds);
      assert.ok(price.energyJoules.low <= price.energyJoules.high);
    });
    fc.assert(property);
  });

  test('its operators add up to it before collectives overlap', () => {
    const property = fc.property(arbitraryShape, (shape) => {
      const pricer = makePricer({ version: CALIBRATION.versions['trtllm-0.15.0']! });
      const { seconds, hiddenCollectiveSeconds, flops, memoryBytes } = pricer.price(shape);
      const lines = pricer.explain(shape);
      const sum = (of: (line: (typeof lines)[number]) => number): number =>
        lines.reduce((total, line) => total + of(line), 0);
      closeTo(
        sum((line) => line.seconds),
        seconds + hiddenCollectiveSeconds,
      );
      closeTo(
        sum((line) => line.flops),
        flops,
      );
      closeTo(
        sum((line) => line.memoryBytes),
        memoryBytes,
      );
    });
    fc.assert(property);
  });

  test('a chip that boosts draws between what it always draws and its limit', () => {
    const property = fc.property(arbitraryShape, (shape) => {
      const { seconds, energyJoules } = makePricer().price(shape);
      const watts = (energyJoules.low + energyJoules.high) / 2 / seconds / 8;
      const { idleShare } = CALIBRATION.kernels.power!;
      assert.ok(watts >= 700 * idleShare * (1 - 1e-9) && watts <= 700 * (1 + 1e-9), `${watts} W`);
    });
    fc.assert(property);
  });

  test('more of any figure of the chip is never slower', () => {
    const factor = fc.double({ min: 1, max: 8, noNaN: true });
    const base = scaledH100({});
    const property = fc.property(
      arbitraryShape,
      fc.record({ bandwidth: factor, flops: factor, links: factor }),
      (shape, change) => {
        for (const one of ['bandwidth', 'flops', 'links'] as const) {
          const better = scaledH100({ [one]: change[one] });
          assert.ok(better.seconds(shape) <= base.seconds(shape) * (1 + 1e-12), one);
        }
      },
    );
    fc.assert(property);
  });

  test('a longer prompt, context or batch is never faster', () => {
    const property = fc.property(
      fc.record({ newTokens: fc.integer({ min: 1, max: 8192 }), contextTokens: count(30_000) }),
      fc.record({ newTokens: count(4096), contextTokens: count(10_000), sequences: count(64) }),
      count(256),
      fc.constantFrom(...pricers),
      (chunk, more, decodeSequences, pricer) => {
        const seconds = (longer: boolean): number =>
          pricer.seconds(
            makeStepShape({
              prefill: [
                {
                  newTokens: chunk.newTokens + (longer ? more.newTokens : 0),
                  contextTokens: chunk.contextTokens + (longer ? more.contextTokens : 0),
                },
              ],
              decodeSequences: decodeSequences + (longer ? more.sequences : 0),
              decodeContextTokens: 2000 * (decodeSequences + (longer ? more.sequences : 0)),
            }),
          );
        assert.ok(seconds(true) >= seconds(false) * (1 - 1e-12));
      },
    );
    fc.assert(property);
  });

  test('an empty step takes what software takes of every step', () => {
    const { gapMicros, hostMicros } = CALIBRATION.versions['trtllm-0.10.0']!;
    const expected = (80 * gapMicros + hostMicros) * 1e-6;
    closeTo(makePricer().seconds(makeStepShape({})), expected);
  });

  test('pipeline stages work at once: the interval is a part of the latency', () => {
    const layout = { tp: 1, pp: 8, ep: 1, dp: 1 };
    const price = makePricer({ layout, rates: makeRates('H200') }).price(
      makeStepShape({ decodeSequences: 32, decodeContextTokens: 64_000 }),
    );
    assert.ok(price.intervalSeconds < price.seconds / 5);
    assert.ok(price.intervalSeconds > price.seconds / 8);
  });

  test('an unknown format is refused with the nearest that the chip has', () => {
    assert.throws(
      () => makePricer({ rates: makeRates('A100') }),
      /^InvalidArgumentError: precision must be one of int8, bf16 on A100, not fp8; the nearest is int8$/,
    );
  });
});
