import type { GroupSpec } from '../../cluster/messages.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import type { Precision } from '../../core/model/precision.ts';
import type { SchedulerOptions } from '../../core/scheduler/options.ts';
import { RandomModel, TINY_MODEL } from './random-model.ts';
import { LONGEST_REQUEST } from './request-catalogue.ts';
import type { Scenario } from './scenario.ts';
import { type KernelFactory, ShardPool } from './shard-pool.ts';
import type { ShardSource } from './shard-source.ts';
import { Undisturbed } from './undisturbed.ts';

const BLOCK_SIZE = 4;
const MAX_ROWS = 32;
const MAX_SEQUENCES = 8;
const MAX_KV_BLOCKS = 24;
const MODEL_SEED = 11;

/** What one after the other of many worlds uses: the model's shards and the undisturbed runs. */
export class Laboratory {
  readonly config: ModelConfig = TINY_MODEL;
  readonly #kernels: KernelFactory;
  readonly #pools = new Map<boolean, ShardPool>();
  readonly #oracles = new Map<string, Undisturbed>();

  constructor(kernels: KernelFactory) {
    this.#kernels = kernels;
  }

  shardsOf(isExact: boolean): ShardSource {
    let pool = this.#pools.get(isExact);
    pool ??= new ShardPool({
      config: this.config,
      weights: new RandomModel(this.config, MODEL_SEED),
      kernels: this.#kernels,
      isExact,
      limits: { kvBlocks: MAX_KV_BLOCKS, rows: MAX_ROWS, sequences: MAX_SEQUENCES },
    });
    this.#pools.set(isExact, pool);
    return pool;
  }

  undisturbedOf({ isExact, precision }: Pick<Scenario, 'isExact' | 'precision'>): Undisturbed {
    const key = `${isExact} ${precision}`;
    let oracle = this.#oracles.get(key);
    oracle ??= new Undisturbed({
      config: this.config,
      spec: this.#spec({ precision, tensorParallel: 1, kvBlocks: MAX_KV_BLOCKS }),
      scheduler: {
        ...{ maxNumSeqs: MAX_SEQUENCES, maxNumBatchedTokens: MAX_ROWS, maxNumQueuedReqs: 16 },
        ...{ longPrefillTokenThreshold: 1, schedulingPolicy: 'fcfs', watermark: 0 },
        ...{ capacitySchedulerPolicy: 'max_utilization', enablePrefixCaching: false },
        ...this.#modelLimits(),
      },
      shards: this.shardsOf(isExact),
    });
    this.#oracles.set(key, oracle);
    return oracle;
  }

  /** What the group of a scenario serves and how. */
  specOf({ precision, tensorParallel, kvBlocks, scheduler }: Scenario): GroupSpec {
    const { maxNumBatchedTokens } = scheduler;
    return { ...this.#spec({ precision, tensorParallel, kvBlocks }), maxNumBatchedTokens };
  }

  schedulerOf({ scheduler }: Scenario): Omit<SchedulerOptions, 'kvBlocks'> {
    return { ...scheduler, ...this.#modelLimits() };
  }

  #modelLimits(): Pick<
    SchedulerOptions,
    'maxNumQueuedTokens' | 'maxModelLen' | 'blockSize' | 'stopTokenIds'
  > {
    return {
      maxNumQueuedTokens: undefined,
      maxModelLen: LONGEST_REQUEST,
      blockSize: BLOCK_SIZE,
      stopTokenIds: this.config.stopTokenIds,
    };
  }

  #spec(form: {
    readonly precision: Precision;
    readonly tensorParallel: number;
    readonly kvBlocks: number;
  }): GroupSpec {
    return {
      model: 'tiny',
      precision: form.precision,
      kvCacheDtype: 'auto',
      tensorParallel: form.tensorParallel,
      blockSize: BLOCK_SIZE,
      numGpuBlocksOverride: form.kvBlocks,
      maxNumBatchedTokens: MAX_ROWS,
      maxNumSeqs: MAX_SEQUENCES,
    };
  }
}
