import type { KvCacheDtype, Precision } from '../../services/core/model/precision.ts';
import { planStep } from '../../services/core/model/step-plan.ts';
import { createWasmKernels } from '../../services/kernels/wasm.ts';
import { loadShard } from '../../services/runtime/chip/shard-loading.ts';
import { ShardExecutor } from '../../services/shard/executor.ts';
import { allRows, type Shard } from '../../services/shard/shard.ts';

export interface SingleChipOptions {
  readonly model: string;
  readonly precision: Precision;
  readonly kvCacheDtype?: KvCacheDtype;
  /** Tokens of the longest text. */
  readonly maxTokens: number;
}

const BLOCK_SIZE = 16;

/** The whole model in one shard without a group around it, to see the logits of every position of a text. */
export class SingleChip {
  readonly #shard: Shard;
  readonly #executor: ShardExecutor;

  private constructor(shard: Shard, executor: ShardExecutor) {
    this.#shard = shard;
    this.#executor = executor;
  }

  static async load(options: SingleChipOptions): Promise<SingleChip> {
    const { model, precision, kvCacheDtype = 'auto', maxTokens } = options;
    const spec = {
      model,
      precision,
      kvCacheDtype,
      tensorParallel: 1,
      blockSize: BLOCK_SIZE,
      numGpuBlocksOverride: Math.ceil(maxTokens / BLOCK_SIZE),
      maxNumBatchedTokens: maxTokens,
      maxNumSeqs: maxTokens,
    };
    const { loaded, memory } = await loadShard({ spec, rank: 0, threads: 1, onProgress: () => {} });
    const { shard } = loaded;
    return new SingleChip(shard, new ShardExecutor(shard.layout, createWasmKernels(memory)));
  }

  /** The model's own. */
  get stopTokenIds(): readonly number[] {
    return this.#shard.layout.plan.config.stopTokenIds;
  }

  /**
   * The logits after every token, [tokens][vocab]: each token is a sequence of its own over one block table. The
   * first one's position is `first`; those before it have been computed by an earlier call.
   */
  logits(tokens: readonly number[], first = 0): Float32Array[] {
    const shard = this.#shard;
    const blocks = Array.from({ length: shard.layout.options.kvBlocks }, (_, block) => block);
    const { rows } = shard.writeBatch(
      tokens.map((token, index) => {
        const start = first + index;
        return { tokens: [token], start, blocks, sample: true };
      }),
    );
    tokens.forEach((token, row) => {
      shard.embed(token, row);
    });
    for (const stage of planStep(shard.layout.plan.config)) {
      if (stage.kind === 'segment') this.#executor.run(stage.segment, stage.layer, allRows(rows));
      else if (stage.operation !== 'embedding') this.#addPartial(stage.operation, rows);
    }
    return tokens.map((_, row) => shard.logitsOf(row).slice());
  }

  #addPartial(operation: 'attention' | 'mlp', rows: number): void {
    const { hidden, hiddenStride } = this.#shard;
    const partial = this.#shard.partialOf(operation);
    for (let i = 0; i < rows * hiddenStride; i++) hidden[i] = hidden[i]! + partial[i]!;
  }
}
