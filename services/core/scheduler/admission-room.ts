import type { KvCacheManager } from '../kv/kv-cache-manager.ts';
import type { SchedulerOptions } from './options.ts';
import type { Sequence } from './request.ts';

/** What the KV blocks leave for admissions during one step. */
export class AdmissionRoom {
  readonly #kv: KvCacheManager;
  readonly #options: SchedulerOptions;
  /** Free blocks that those who run may still need, where that is guaranteed. */
  #reserved = 0;

  constructor(kv: KvCacheManager, options: SchedulerOptions, running: readonly Sequence[]) {
    this.#kv = kv;
    this.#options = options;
    for (const sequence of running) this.reserveFor(sequence);
  }

  /** Whether a sequence fits that finds `prefix` cached and is to hold `tokens` tokens now. */
  admits(sequence: Sequence, prefix: readonly number[], tokens: number): boolean {
    const { capacitySchedulerPolicy, watermark } = this.#options;
    const held = capacitySchedulerPolicy === 'max_utilization' ? tokens : longestCourse(sequence);
    // Where nobody runs there is nobody to keep blocks for, and waiting would be for ever.
    const kept = this.#kv.usedBlocks > 0 ? Math.floor(watermark * this.#kv.totalBlocks) : 0;
    return this.#kv.demandOf(prefix, held) <= this.#kv.freeBlocks - this.#reserved - kept;
  }

  /** Keeps free what a sequence that runs may still need, where that is guaranteed. */
  reserveFor(sequence: Sequence): void {
    if (this.#options.capacitySchedulerPolicy !== 'guaranteed_no_evict') return;
    const needed = this.#kv.blocksFor(longestCourse(sequence));
    this.#reserved += needed - sequence.table.blocks.length;
  }
}

/** Tokens that a sequence may ever hold keys and values of; its last token is never computed. */
function longestCourse({ tokenLimit }: Pick<Sequence, 'tokenLimit'>): number {
  return tokenLimit - 1;
}
