import { architectureOf } from '../../core/architecture/from-model-config.ts';
import type { Chip } from '../../core/hardware/chip.ts';
import { SOHU } from '../../core/hardware/chips/sohu.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { type KvCacheDtype, type Precision, resolveKvFormat } from '../../core/model/precision.ts';
import { makePricer } from '../../core/timing/load-price.ts';
import { findSoftwareVersion, IDEAL_SOFTWARE } from '../../core/timing/software-version.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';

/** The running model, and how it is served. */
export interface PricedModel {
  readonly config: ModelConfig;
  readonly modelName: string;
  readonly tp: number;
  readonly precision: Precision;
  readonly kvCacheDtype: KvCacheDtype;
  readonly maxNumBatchedTokens: number;
  readonly maxNumSeqs: number;
}

/**
 * Prices the steps of a running model, on Sohu as claimed where no other chip is named, with ideal
 * software and in the middle of what its figures allow. A chip without f32 takes bf16 for it; heads
 * that a degree does not divide are padded, as in the exact arithmetic.
 */
export function makeDevicePricer(options: PricedModel, chip: Chip = SOHU): StepPricer {
  const { config, modelName, tp, precision, kvCacheDtype } = options;
  const heads = Math.ceil(config.heads / tp) * tp;
  const kvFormat = resolveKvFormat(kvCacheDtype, precision);
  return makePricer(
    {
      architecture: architectureOf({ ...config, heads }, { name: modelName, source: 'served' }),
      chip,
      layout: { tp, pp: 1, ep: 1, dp: 1 },
      precision: {
        weights: precision === 'fp8' ? 'fp8' : 'bf16',
        kv: kvFormat === 'fp8' ? 'fp8' : 'bf16',
      },
      software: findSoftwareVersion(IDEAL_SOFTWARE),
      maxNumBatchedTokens: options.maxNumBatchedTokens,
      maxNumSeqs: options.maxNumSeqs,
    },
    'middle',
  );
}
