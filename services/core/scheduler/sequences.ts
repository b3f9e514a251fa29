import { KvCacheManager } from '../kv/kv-cache-manager.ts';
import type { BlockContent } from '../kv/prefix-cache.ts';
import { assert } from '../support/errors.ts';
import { promptTokensLeft } from './admission.ts';
import type { SchedulerOptions } from './options.ts';
import { pendingTokens, type Sequence } from './request.ts';
import { SchedulerStats } from './scheduler-stats.ts';
import { WaitingSequences } from './waiting-sequences.ts';

/**
 * The sequences of a scheduler and the blocks that they hold. Every change of a sequence's state
 * goes through here: waiting → running → ended, from running back to waiting, and from waiting to
 * ended.
 */
export class Sequences {
  #kv: KvCacheManager;
  readonly waiting: WaitingSequences;
  readonly stats = new SchedulerStats();
  /** In the order of admission. */
  #running: Sequence[] = [];
  /** Those that gave their blocks back since the last call of `takeReleased`. */
  #released: number[] = [];

  constructor(options: SchedulerOptions) {
    this.#kv = new KvCacheManager(options);
    this.waiting = new WaitingSequences(options.schedulingPolicy);
  }

  get kv(): KvCacheManager {
    return this.#kv;
  }

  /** In the order of admission. */
  get running(): readonly Sequence[] {
    return this.#running;
  }

  /** Samples that were taken in and have not ended, and their prompt tokens not computed yet. */
  get load(): { readonly samples: number; readonly promptTokens: number } {
    const left = this.#running.reduce((sum, sequence) => sum + promptTokensLeft(sequence), 0);
    const samples = this.waiting.count + this.#running.length;
    return { samples, promptTokens: this.waiting.promptTokens + left };
  }

  /** Lets a waiting sequence run, with what the prefix cache holds of it. */
  admit(sequence: Sequence, prefix: readonly BlockContent[], nowMicros: number): void {
    const { times, request, table } = sequence;
    this.waiting.remove(sequence);
    this.kv.sharePrefix(table, prefix);
    sequence.state = 'running';
    sequence.computedTokens = prefix.length * this.kv.blockSize;
    if (times.admittedMicros === undefined) {
      sequence.cachedTokens = sequence.computedTokens;
      this.stats.admitted(request.promptTokens.length, sequence.cachedTokens);
      this.waiting.chargePrompt(sequence);
    }
    // After the first token a preemption counts as decoding.
    if (times.firstTokenMicros === undefined) times.admittedMicros = nowMicros;
    this.#running.push(sequence);
  }

  /** Makes a running sequence wait again, without its blocks; returns where it stood. */
  preempt(sequence: Sequence): number {
    const index = this.#running.lastIndexOf(sequence);
    this.#running.splice(index, 1);
    this.#release(sequence);
    sequence.computedTokens = 0;
    sequence.preemptions++;
    this.stats.preemptions++;
    this.waiting.comeBack(sequence);
    return index;
  }

  /** Ends a sequence, be it waiting, running or ended. */
  end(sequence: Sequence): void {
    if (sequence.state === 'waiting') this.waiting.remove(sequence);
    if (sequence.state === 'running') {
      this.#release(sequence);
      this.#running.splice(this.#running.indexOf(sequence), 1);
    }
    sequence.state = 'ended';
  }

  /** Makes all that run wait again, in order and before all others, and forgets all content. */
  loseMemory(): void {
    for (const sequence of this.#running.reverse()) {
      this.kv.release(sequence.table);
      sequence.computedTokens = 0;
      this.waiting.comeBack(sequence);
    }
    this.#running = [];
    this.#released = [];
    this.kv.clearCache();
  }

  /** Begins with other blocks, of which none holds anything. */
  resize(options: SchedulerOptions): void {
    this.#kv = new KvCacheManager(options);
  }

  /** Sequences that gave their blocks back since the last call, by end or preemption. */
  takeReleased(): readonly number[] {
    const released = this.#released;
    this.#released = [];
    return released;
  }

  checkIntegrity(): void {
    this.kv.checkIntegrity(this.#running.map(({ table }) => table));
    for (const sequence of this.#running) {
      assert(sequence.state === 'running', 'who runs is in the state of running');
      assert(pendingTokens(sequence) > 0, 'who runs has something to compute');
    }
  }

  #release(sequence: Sequence): void {
    this.kv.release(sequence.table);
    this.#released.push(sequence.id);
  }
}
