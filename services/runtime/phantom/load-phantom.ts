import { findArchitecture } from '../../checkpoint/model-catalogue.ts';
import type { LoadedShard } from '../../cluster/chip-effects.ts';
import type { GroupSpec, PhantomSpec } from '../../cluster/messages.ts';
import type { PhantomShard } from '../../cluster/phantom-shard.ts';
import { planKvBlocks } from '../../core/timing/kv-blocks.ts';
import { makePricer, planLoad } from '../../core/timing/load-price.ts';
import { cataloguePath } from './catalogue-path.ts';
import { placePhantom } from './place-phantom.ts';

/** The shard of a rank that holds nothing: sizes by the memory plan of the modelled chips. */
export function loadPhantom(
  spec: GroupSpec & { readonly phantom: PhantomSpec },
  rank: number,
): LoadedShard<PhantomShard> {
  const architecture = findArchitecture(spec.model, cataloguePath());
  const placed = placePhantom(architecture, { ...spec, ...spec.phantom });
  const kvBlocks = planKvBlocks(placed, spec);
  const plan = planLoad(placed);
  const pricer = makePricer(placed, 'middle');
  const { maxPositions, vocabSize } = architecture;
  const { blockSize } = spec;
  return {
    shard: {
      rank,
      ranks: spec.tensorParallel,
      tokens: spec.phantom.tokens,
      limits: {
        maxRows: spec.maxNumBatchedTokens,
        maxSequences: spec.maxNumSeqs,
        ...{ maxPositions, vocabSize, blockSize, kvBlocks },
        blocksPerSequence: Math.ceil(maxPositions / blockSize),
        readsTokens: false,
      },
      linkBytes: (shape) => pricer.price(shape).linkBytes,
    },
    kvBlocks,
    hbmBytes: plan.memoryBytes,
    weightBytes: plan.weightBytes,
    activationBytes: plan.activationBytes,
    kvBytesPerBlock: plan.kvBytesPerToken * blockSize,
  };
}
