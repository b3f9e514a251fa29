import type { Architecture } from '../../services/core/architecture/architecture.ts';
import { architectureOf } from '../../services/core/architecture/from-model-config.ts';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { CALIBRATION } from '../../services/core/timing/calibration.ts';
import { type ChipRates, ratesOf } from '../../services/core/timing/chip-rates.ts';
import type { StepOptions } from '../../services/core/timing/step-operators.ts';
import { StepPricer } from '../../services/core/timing/step-pricer.ts';
import { makeConfig } from '../core/model-configs.ts';

/** Llama-3-70B, from an executable config. */
export const LLAMA_70B: Architecture = architectureOf(
  makeConfig({
    hiddenSize: 8192,
    intermediateSize: 28_672,
    layers: 80,
    heads: 64,
    kvHeads: 8,
    headDim: 128,
    vocabSize: 128_256,
    maxPositions: 8192,
  }),
  { name: 'llama-3-70b', source: 'test' },
);

/** What a chip of the catalogue achieves. */
export function makeRates(name: string, changes: Partial<ChipRates> = {}): ChipRates {
  return { ...ratesOf(findChip(name), CALIBRATION.kernels, 'middle'), ...changes };
}

/** A pricer of Llama-3-70B in fp8 on 8 H100 under TensorRT-LLM 0.10, but for `changes`. */
export function makePricer(changes: Partial<StepOptions> = {}): StepPricer {
  return new StepPricer({
    architecture: LLAMA_70B,
    rates: makeRates('H100'),
    layout: { tp: 8, pp: 1, ep: 1, dp: 1 },
    precision: { weights: 'fp8', kv: 'fp8' },
    kernels: CALIBRATION.kernels,
    version: CALIBRATION.versions['trtllm-0.10.0']!,
    ...changes,
  });
}
