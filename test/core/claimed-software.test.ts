import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { flopsPerProcessedToken } from '../../services/core/architecture/parameters.ts';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { batchingGain } from '../../services/core/timing/batching-gain.ts';
import { ratesOf } from '../../services/core/timing/chip-rates.ts';
import { type PricedLoad, priceLoad } from '../../services/core/timing/load-price.ts';
import { costOver, priceSpan, rangeOver } from '../../services/core/timing/price-span.ts';
import { softwareParametersOf } from '../../services/core/timing/software-parameters.ts';
import { findSoftwareVersion } from '../../services/core/timing/software-version.ts';
import { StepPricer } from '../../services/core/timing/step-pricer.ts';
import { makeStepShape } from '../../services/core/timing/step-shape.ts';
import { LLAMA_70B } from '../support/pricing.ts';

const SUSTAINED = 8.74e15;

function makeLoad(software: string, changes: Partial<PricedLoad> = {}): PricedLoad {
  const version = findSoftwareVersion(software);
  return {
    architecture: LLAMA_70B,
    chip: findChip('Sohu'),
    layout: { tp: 8, pp: 1, ep: 1, dp: 1 },
    precision: { weights: 'fp8', kv: 'fp8' },
    software: version,
    maxNumBatchedTokens: version.maxNumBatchedTokens,
    maxNumSeqs: version.maxNumSeqs,
    inputTokens: 2048,
    outputTokens: 128,
    concurrency: Number.POSITIVE_INFINITY,
    ...changes,
  };
}

suite('a chip as claimed', () => {
  test('gives the claim back, and says what its links would have to carry', () => {
    const span = priceSpan(makeLoad('as-claimed'));
    const { low, high } = rangeOver(span, (price) => price.totalTokensPerSecond);
    assert.ok(low === high && Math.abs(low / 500_000 - 1) < 0.005, `${low}`);
    const links = rangeOver(span, ({ state }) => state.price.linkUtilization);
    assert.ok(links.low > 1 && links.high > 5);
    const mfu = rangeOver(span, ({ state }) => state.price.mfu);
    assert.ok(Math.abs(mfu.low - 0.8) < 0.01 && Math.abs(mfu.high - 0.9) < 0.01);
    const joules = costOver(span, 'joules');
    assert.ok(joules.low < joules.high);
  });

  test('is bound by its links with ideal software, and not as pipeline stages', () => {
    const parallel = priceLoad(makeLoad('ideal'), 'high');
    assert.equal(parallel.state.price.binds, 'collectives');
    const stages = priceLoad(makeLoad('ideal', { layout: { tp: 1, pp: 8, ep: 1, dp: 1 } }), 'high');
    assert.equal(stages.state.price.binds, 'compute');
    assert.ok(stages.totalTokensPerSecond > parallel.totalTokensPerSecond);
  });

  test('prices every end alike where nothing but arithmetic counts', () => {
    for (const [inputTokens, outputTokens] of [
      [128, 2048],
      [4096, 16],
    ] as const) {
      const load = makeLoad('as-claimed', { inputTokens, outputTokens });
      const expected = (8 * SUSTAINED) / flopsPerProcessedToken(LLAMA_70B, load);
      const { totalTokensPerSecond } = priceLoad(load, 'middle');
      assert.ok(Math.abs(totalTokensPerSecond / expected - 1) < 0.02, `${totalTokensPerSecond}`);
    }
  });
});

suite('ideal software', () => {
  test('is never faster than all arithmetic, nor than all streaming', () => {
    const chip = findChip('Sohu');
    const { kernels, version } = softwareParametersOf(findSoftwareVersion('ideal'));
    const rates = ratesOf(chip, kernels, 'middle');
    const fastest = rates.peakMemoryBytesPerSecond * kernels.generationAttention.memoryEfficiency;
    const pricer = new StepPricer({
      architecture: LLAMA_70B,
      layout: { tp: 1, pp: 1, ep: 1, dp: 1 },
      precision: { weights: 'fp8', kv: 'fp8' },
      kernels,
      version,
      rates,
    });
    const counts = fc.record({
      decode: fc.integer({ min: 0, max: 4000 }),
      context: fc.integer({ min: 1, max: 8000 }),
      prefill: fc.integer({ min: 1, max: 16_000 }),
    });
    const property = fc.property(counts, ({ decode, context, prefill }) => {
      const price = pricer.price(
        makeStepShape({
          prefill: [{ newTokens: prefill, contextTokens: 0 }],
          decodeSequences: decode,
          decodeContextTokens: decode * context,
        }),
      );
      const bound = Math.max(price.flops / SUSTAINED, price.memoryBytes / fastest);
      assert.ok(price.seconds >= 0.999 * bound, `${price.seconds} is below ${bound}`);
    });
    fc.assert(property);
  });
});

suite('continuous batching', () => {
  const gainAt = (inputTokens: number, outputTokens: number) => {
    const load = makeLoad('trtllm-0.10.0', {
      chip: findChip('H100'),
      inputTokens,
      outputTokens,
    });
    return batchingGain(load, priceLoad(load, 'middle'));
  };

  test('is worth the more, the longer the outputs', () => {
    const [short, even, long] = [gainAt(2048, 128), gainAt(1088, 1088), gainAt(128, 2048)];
    assert.ok(short!.overStatic! < even!.overStatic! && even!.overStatic! < long!.overStatic!);
    assert.ok(short!.overSingle < even!.overSingle && even!.overSingle < long!.overSingle);
    assert.ok(long!.overStatic! > 1.5 && long!.overSingle > 50);
  });
});
