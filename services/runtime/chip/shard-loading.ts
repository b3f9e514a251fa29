import { openCheckpoint } from '../../checkpoint/open-checkpoint.ts';
import type { LoadedShard } from '../../cluster/chip-effects.ts';
import type { GroupSpec } from '../../cluster/messages.ts';
import { SOHU } from '../../core/hardware/chips/sohu.ts';
import { accountHbm, countKvBlocks } from '../../core/model/memory.ts';
import { resolveKvFormat } from '../../core/model/precision.ts';
import { planShard } from '../../core/model/shard-plan.ts';
import { createKernelMemory, type KernelMemory, MEMORY_BASE } from '../../kernels/wasm.ts';
import { planLayout } from '../../shard/layout.ts';
import { ShardLoader } from '../../shard/loader.ts';
import { Shard } from '../../shard/shard.ts';

export interface LoadShardOptions {
  readonly spec: GroupSpec;
  readonly rank: number;
  /** Threads that will execute segments, each with scratch memory of its own. */
  readonly threads: number;
  readonly onProgress: (loaded: number, total: number) => void;
}

/** A loaded shard and the WebAssembly memory that it lies in. */
export interface ShardInMemory {
  readonly loaded: LoadedShard<Shard>;
  readonly memory: KernelMemory;
}

/** Reads this rank's slices of the model into a new memory; other tasks run between two layers. */
export async function loadShard(options: LoadShardOptions): Promise<ShardInMemory> {
  const { spec, rank } = options;
  const checkpoint = openCheckpoint(spec.model);
  try {
    const plan = planShard(checkpoint.config, spec.tensorParallel, rank);
    const kvBlocks = countKvBlocks(plan, spec, SOHU);
    const layoutOptions = {
      precision: spec.precision,
      kvFormat: resolveKvFormat(spec.kvCacheDtype, spec.precision),
      blockSize: spec.blockSize,
      kvBlocks,
      maxRows: spec.maxNumBatchedTokens,
      maxSequences: spec.maxNumSeqs,
      threads: options.threads,
    };
    const layout = planLayout(plan, layoutOptions, MEMORY_BASE);
    const memory = createKernelMemory(layout.bytes, { shared: options.threads > 1 });
    const loader = new ShardLoader(layout, memory.buffer, checkpoint);
    while (loader.loaded < loader.total) {
      loader.loadNext();
      options.onProgress(loader.loaded, loader.total);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const shard = new Shard(layout, memory.buffer);
    return {
      loaded: { shard, kvBlocks, hbmBytes: SOHU.hbmBytes, ...accountHbm(plan, spec) },
      memory,
    };
  } finally {
    checkpoint.close();
  }
}
