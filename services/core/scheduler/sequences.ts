import { KvCacheManager } from '../kv/kv-cache-manager.ts';
import { assert } from '../support/errors.ts';
import { type Load, promptTokensLeft } from './admission.ts';
import type { SchedulerOptions } from './options.ts';
import { awaitsPromptLogprobs } from './prompt-targets.ts';
import { pendingTokens, type Sequence } from './request.ts';
import { SchedulerStats } from './scheduler-stats.ts';
import { WaitingSequences } from './waiting-sequences.ts';

/**
 * The sequences of a scheduler and the blocks that they hold. Every change of a sequence's state
 * goes through here: waiting → running → ended, from running back to waiting, from waiting to ended,
 * and from any of them to cancelled.
 */
export class Sequences implements Load {
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

  get samples(): number {
    return this.waiting.count + this.#running.length;
  }

  get promptTokens(): number {
    const left = this.#running.reduce((sum, sequence) => sum + promptTokensLeft(sequence), 0);
    return this.waiting.promptTokens + left;
  }

  /** Lets a waiting sequence run, with what the prefix cache holds of it. */
  admit(sequence: Sequence, prefix: readonly number[], nowMicros: number): void {
    const { times, request, table } = sequence;
    this.waiting.remove(sequence);
    this.kv.sharePrefix(table, prefix);
    sequence.state = 'running';
    sequence.computedTokens = prefix.length * this.kv.blockSize;
    if (times.admittedMicros === undefined) {
      // Of a sample that goes on from another engine's tokens, these may be cached too.
      sequence.cachedTokens = Math.min(sequence.computedTokens, request.promptTokens.length);
      // As in vLLM: who does not look for its prompt is no query.
      if (!awaitsPromptLogprobs(sequence)) {
        this.stats.admitted(request.promptTokens.length, sequence.cachedTokens);
      }
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

  /** Ends a sequence for its client, perhaps after its end. */
  cancel(sequence: Sequence): void {
    this.end(sequence);
    sequence.state = 'cancelled';
  }

  /** Ends what waits and is to end, and returns it. */
  endWaiting(isToEnd: (sequence: Sequence) => boolean): readonly Sequence[] {
    const [ended, staying]: [Sequence[], Sequence[]] = [[], []];
    for (const sequence of this.waiting.removeAll()) {
      (isToEnd(sequence) ? ended : staying).push(sequence);
    }
    for (const sequence of staying) this.waiting.arrive(sequence);
    for (const sequence of ended) sequence.state = 'ended';
    return ended;
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

  /** Begins anew with other blocks, while nobody holds one. */
  resize(options: SchedulerOptions): void {
    assert(this.#running.length === 0, 'nothing runs while the number of blocks changes');
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
