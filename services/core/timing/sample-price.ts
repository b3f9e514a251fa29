import type { Diffusion } from '../architecture/architecture.ts';
import type { RangeEnd } from '../hardware/figure.ts';
import { assert } from '../support/errors.ts';
import { chipCount } from './layout.ts';
import { checkFit, makePricer, type PlacedModel, planLoad } from './load-price.ts';
import type { OperatorPrice, StepPrice } from './step-price.ts';
import type { StepShape } from './step-shape.ts';
import { costPerMillionTokens, type TokenCost, wattsOf } from './token-cost.ts';

/** What one sample of a diffusion transformer takes in device time. */
export interface SamplePrice {
  readonly samplesPerSecond: number;
  readonly secondsPerSample: number;
  /** One pass over the sample. */
  readonly pass: StepPrice;
  readonly operators: readonly OperatorPrice[];
  /** Per million tokens that a pass computes. */
  readonly cost: TokenCost;
}

/** Prices the denoising of one sample after the other, on every replica. */
export function priceSample(placed: PlacedModel, end: RangeEnd): SamplePrice {
  const { diffusion } = placed.architecture;
  assert(diffusion !== undefined, 'only diffusion transformers have samples');
  const pricer = makePricer(placed, end);
  checkFit(placed, planLoad(placed));
  const shape = passShape(diffusion);
  const pass = pricer.price(shape);
  const passes = diffusion.denoisingSteps * diffusion.passesPerStep;
  const secondsPerSample = passes * pass.seconds;
  return {
    secondsPerSample,
    samplesPerSecond: placed.layout.dp / secondsPerSample,
    pass,
    operators: pricer.explain(shape),
    cost: costPerMillionTokens({
      chip: placed.chip,
      chips: chipCount(placed.layout),
      tokensPerSecond: (placed.layout.dp * diffusion.sampleTokens) / pass.seconds,
      chipWatts: wattsOf(
        pass.energyJoules,
        pass.intervalSeconds * chipCount({ ...placed.layout, dp: 1 }),
      ),
    }),
  };
}

/** Every token of a sample attends to every other; nothing is cached or sampled. */
function passShape({ sampleTokens }: Diffusion): StepShape {
  return {
    prefillSequences: 1,
    prefillTokens: sampleTokens,
    prefillPairs: sampleTokens * sampleTokens,
    prefillCachedTokens: 0,
    decodeSequences: 0,
    decodeContextTokens: 0,
    sampledRows: 0,
  };
}
