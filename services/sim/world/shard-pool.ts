import type { LoadedShard } from '../../cluster/chip-effects.ts';
import type { GroupSpec } from '../../cluster/messages.ts';
import { SOHU } from '../../core/hardware/chips/sohu.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { accountHbm } from '../../core/model/memory.ts';
import { resolveKvFormat } from '../../core/model/precision.ts';
import { planShard, rangeSize } from '../../core/model/shard-plan.ts';
import type { TensorSource } from '../../core/model/tensors.ts';
import { assert } from '../../core/support/errors.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import { ShardExecutor } from '../../shard/executor.ts';
import { planLayout, type ShardLayout } from '../../shard/layout.ts';
import { ShardLoader } from '../../shard/loader.ts';
import { Shard } from '../../shard/shard.ts';
import type { SegmentExecutor, ShardInstance, ShardSource } from './shard-source.ts';
import { StandInExecutor } from './stand-in-executor.ts';

/** Makes memories with the arithmetic on them. */
export interface KernelFactory {
  /** The first address that a shard may use. */
  readonly base: number;
  /** Kernels on a new memory of so many bytes, counted from address 0. */
  create(bytes: number): Kernels;
}

export interface ShardPoolOptions {
  readonly config: ModelConfig;
  readonly weights: TensorSource;
  readonly kernels: KernelFactory;
  /** Whether chips compute, or a stand-in fills in what they would. */
  readonly isExact: boolean;
  /** Of every shard; specs may ask for less. */
  readonly limits: { readonly kvBlocks: number; readonly rows: number; readonly sequences: number };
}

interface PooledShard extends ShardInstance {
  readonly key: string;
  readonly loaded: LoadedShard<Shard>;
}

/**
 * Shards of one model for the chips of many worlds, one after the other. What a chip left in its
 * memory is spoilt before the next one has it, so that nothing depends on what was before.
 */
export class ShardPool implements ShardSource {
  readonly #options: ShardPoolOptions;
  readonly #idle = new Map<string, PooledShard[]>();
  readonly #taken = new Map<SegmentExecutor, PooledShard>();

  constructor(options: ShardPoolOptions) {
    this.#options = options;
  }

  take(spec: GroupSpec, rank: number): ShardInstance {
    const { model: _, numGpuBlocksOverride, maxNumBatchedTokens, ...form } = spec;
    const key = JSON.stringify({ ...form, maxNumSeqs: 0, rank });
    const pooled = this.#idle.get(key)?.pop() ?? this.#make(spec, rank, key);
    this.#taken.set(pooled.executor, pooled);
    spoil(pooled.loaded.shard);
    const { kvBlocks } = this.#options.limits;
    assert(maxNumBatchedTokens <= this.#options.limits.rows, 'the pooled shards are large enough');
    const loaded = { ...pooled.loaded, kvBlocks: numGpuBlocksOverride ?? kvBlocks };
    return { loaded, executor: pooled.executor };
  }

  give({ executor }: ShardInstance): void {
    const pooled = this.#taken.get(executor);
    assert(pooled !== undefined, 'only what was taken is given back');
    this.#taken.delete(executor);
    const idle = this.#idle.get(pooled.key);
    if (idle === undefined) this.#idle.set(pooled.key, [pooled]);
    else idle.push(pooled);
  }

  #make(spec: GroupSpec, rank: number, key: string): PooledShard {
    const { config, weights, kernels, isExact, limits } = this.#options;
    const plan = planShard(config, spec.tensorParallel, rank);
    const layout = planLayout(
      plan,
      {
        precision: spec.precision,
        kvFormat: resolveKvFormat(spec.kvCacheDtype, spec.precision),
        blockSize: spec.blockSize,
        kvBlocks: limits.kvBlocks,
        maxRows: limits.rows,
        maxSequences: limits.sequences,
        threads: 1,
      },
      kernels.base,
    );
    const bound = kernels.create(layout.bytes);
    const loader = new ShardLoader(layout, bound.memory, weights);
    while (loader.loaded < loader.total) loader.loadNext();
    const shard = new Shard(layout, bound.memory);
    const executor = isExact ? new ShardExecutor(layout, bound) : new StandInExecutor(shard);
    return {
      key,
      loaded: {
        ...{ shard, kvBlocks: limits.kvBlocks, hbmBytes: SOHU.hbmBytes },
        ...accountHbm(plan, spec),
      },
      executor,
    };
  }
}

/** Fills with NaN what a step writes before it reads it. */
function spoil(shard: Shard): void {
  const { layout, memory } = shard;
  const { kvBlocks, blockSize } = layout.options;
  const { config, kvHeads } = layout.plan;
  const kvFloats = kvBlocks * rangeSize(kvHeads) * blockSize * config.headDim;
  for (const { keys, values } of layout.layers) {
    new Float32Array(memory, keys, kvFloats).fill(Number.NaN);
    new Float32Array(memory, values, kvFloats).fill(Number.NaN);
  }
  spoilRows(shard, layout);
}

function spoilRows(shard: Shard, layout: ShardLayout): void {
  // Columns that pad a row are no part of the model, and stay zero.
  const { hiddenSize } = layout.plan.config;
  for (let row = 0; row < layout.options.maxRows; row++) {
    shard.row(row).fill(Number.NaN, 0, hiddenSize);
  }
}
