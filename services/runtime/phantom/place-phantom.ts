import type { GroupSpec, PhantomSpec } from '../../cluster/messages.ts';
import type { Architecture } from '../../core/architecture/architecture.ts';
import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { PlacedModel } from '../../core/timing/load-price.ts';
import { findSoftwareVersion } from '../../core/timing/software-version.ts';

/** What of a group decides how its steps are priced. */
export type PhantomPlace = Omit<PhantomSpec, 'tokens'> &
  Pick<
    GroupSpec,
    'tensorParallel' | 'precision' | 'kvCacheDtype' | 'maxNumBatchedTokens' | 'maxNumSeqs'
  >;

/**
 * A model on the chips that a phantom group stands for, as `sohu sim` would place it. Throws an
 * InvalidArgumentError for formats that no chip computes with.
 */
export function placePhantom(architecture: Architecture, place: PhantomPlace): PlacedModel {
  const { precision, kvCacheDtype, maxNumBatchedTokens, maxNumSeqs } = place;
  if (precision === 'f32') {
    throw new InvalidArgumentError('precision must be fp8 or bf16 for phantoms, not f32');
  }
  if (kvCacheDtype === 'f32') {
    throw new InvalidArgumentError('kv_cache_dtype must be fp8 or bf16 for phantoms, not f32');
  }
  return {
    architecture,
    chip: findChip(place.chip),
    layout: { tp: place.tensorParallel, pp: 1, ep: 1, dp: 1 },
    precision: { weights: precision, kv: kvCacheDtype === 'auto' ? 'fp8' : kvCacheDtype },
    software: findSoftwareVersion(place.software),
    maxNumBatchedTokens,
    maxNumSeqs,
  };
}
