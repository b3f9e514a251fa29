import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { SegmentWork } from '../../cluster/chip-effects.ts';
import type { Range } from '../../core/model/shard-plan.ts';
import type { SegmentKind } from '../../core/model/step-plan.ts';
import { createWasmKernels, type KernelMemory } from '../../kernels/wasm.ts';
import { ShardExecutor } from '../../shard/executor.ts';
import type { ShardLayout } from '../../shard/layout.ts';
import { allRows } from '../../shard/shard.ts';

/** What every thread of a pool gets when it starts. */
export interface ComputeWorkerData {
  readonly layout: ShardLayout;
  readonly memory: KernelMemory;
}

/** A range of a segment's rows; no two parts with the same number run at once. */
export interface SegmentPart {
  readonly segment: SegmentKind;
  readonly layer: number;
  readonly rows: Range;
  readonly part: number;
}

/**
 * Floating-point operations of a segment from which a second thread pays for the hop to it: `npm
 * run bench:pool` measures where that is.
 */
const PARALLEL_FLOPS = 20e6;

/**
 * Executes segments on a chip's memory: in this thread, or for large ones on several at once, each
 * with its own rows.
 */
export class ComputePool {
  readonly #layout: ShardLayout;
  readonly #executor: ShardExecutor;
  readonly #threads: number;
  readonly #piscina: Piscina | undefined;

  constructor(data: ComputeWorkerData, threads: number) {
    this.#layout = data.layout;
    this.#executor = new ShardExecutor(data.layout, createWasmKernels(data.memory));
    this.#threads = threads;
    this.#piscina =
      threads > 1
        ? new Piscina({
            filename: fileURLToPath(new URL('./compute-worker.js', import.meta.url)),
            name: 'runPart',
            minThreads: threads - 1,
            maxThreads: threads - 1,
            workerData: data,
          })
        : undefined;
  }

  /**
   * Executes a segment; `done` is called in a later turn, so that what was published before goes
   * out first.
   */
  run(work: SegmentWork, done: () => void): void {
    if (this.#piscina !== undefined && this.#isLarge(work)) {
      void this.#runParts(this.#piscina, work).then(done);
      return;
    }
    queueMicrotask(() => {
      this.#executor.run(work.segment, work.layer, allRows(work.rows));
      done();
    });
  }

  async close(): Promise<void> {
    await this.#piscina?.destroy();
  }

  async #runParts(piscina: Piscina, work: SegmentWork): Promise<void> {
    const size = Math.ceil(work.rows / this.#threads);
    const parts = Array.from({ length: this.#threads }, (_, part): SegmentPart => {
      const rows = {
        start: Math.min(part * size, work.rows),
        end: Math.min((part + 1) * size, work.rows),
      };
      return { ...work, rows, part };
    });
    const others = parts.slice(1).map((part) => piscina.run(part) as Promise<void>);
    await Promise.resolve(); // lets published frames and the parts go out first
    this.#executor.run(work.segment, work.layer, parts[0]!.rows);
    await Promise.all(others);
  }

  #isLarge({ segment, layer, rows }: SegmentWork): boolean {
    return rows >= 2 * this.#threads && rows * this.#flopsPerRow(segment, layer) >= PARALLEL_FLOPS;
  }

  /** Of the matrices alone. */
  #flopsPerRow(segment: SegmentKind, layer: number): number {
    const matrices = (): readonly { readonly inner: number; readonly columns: number }[] => {
      if (segment === 'head') return [this.#layout.lmHead];
      const parts = this.#layout.layers[layer]!;
      if (segment === 'qkv') return [parts.qkv];
      if (segment === 'attention') return parts.attentionOutput.map(({ matrix }) => matrix);
      return [parts.gateUp, ...parts.down.map(({ matrix }) => matrix)];
    };
    return matrices().reduce((sum, { inner, columns }) => sum + 2 * inner * columns, 0);
  }
}
