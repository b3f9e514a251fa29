import { KvCacheManager } from '../kv/kv-cache-manager.ts';
import type { KvEvent } from '../kv/kv-events.ts';
import type { DrawnToken } from '../sampling/drawn-token.ts';
import { assert } from '../support/errors.ts';
import { findRefusal, promptTokensLeft, type Refusal } from './admission.ts';
import { AdmissionRoom } from './admission-room.ts';
import type { SchedulerOptions } from './options.ts';
import { chooseVictim } from './preemption.ts';
import {
  completionTokens,
  createSequence,
  type FinishReason,
  type GenerationRequest,
  pendingTokens,
  type Sequence,
} from './request.ts';
import { SchedulerStats } from './scheduler-stats.ts';
import { type ScheduledSequence, StepBuilder } from './step-builder.ts';
import { WaitingSequences } from './waiting-sequences.ts';

export interface ScheduledStep {
  readonly sequences: readonly ScheduledSequence[];
  /** Sequences that gave their blocks back since the last step, by end or preemption. */
  readonly released: readonly number[];
}

/** What one sequence gained by a step. */
export interface SequenceOutput {
  readonly sequence: Sequence;
  readonly drawn: DrawnToken;
  readonly finishReason: FinishReason | undefined;
}

export type Admission =
  /** One sequence for each of the request's parallel samples. */
  { readonly kind: 'queued'; readonly sequences: readonly Sequence[] } | Refusal;

/**
 * Iteration-level continuous batching with the semantics of vLLM V1: before every step it decides
 * which sequences compute how many tokens. There is no prefill or decode phase: every sequence's
 * computed tokens catch up with its tokens, whether these were prompted, generated, or lost by a
 * preemption.
 */
export class Scheduler {
  readonly stats = new SchedulerStats();
  readonly #options: SchedulerOptions;
  readonly #kv: KvCacheManager;
  readonly #waiting: WaitingSequences;
  /** In the order of admission. */
  #running: Sequence[] = [];
  #released: number[] = [];
  #scheduled: ScheduledStep | undefined;
  #nextId = 1;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#kv = new KvCacheManager(options);
    this.#waiting = new WaitingSequences(options.schedulingPolicy);
  }

  get waitingCount(): number {
    return this.#waiting.count;
  }

  get runningCount(): number {
    return this.#running.length;
  }

  get usedBlocks(): number {
    return this.#kv.usedBlocks;
  }

  /** Queues a request, or says why it can never (`invalid`) or not now (`full`) be served. */
  add(request: GenerationRequest, nowMicros: number): Admission {
    const refusal = findRefusal(request, this.#options, () => ({
      samples: this.#waiting.count + this.#running.length,
      promptTokens:
        this.#waiting.promptTokens +
        this.#running.reduce((sum, sequence) => sum + promptTokensLeft(sequence), 0),
    }));
    if (refusal !== undefined) return refusal;
    const sequences = Array.from({ length: request.n }, (_, choice) =>
      createSequence({ id: this.#nextId++, request, choice, nowMicros, options: this.#options }),
    );
    for (const sequence of sequences) this.#waiting.arrive(sequence);
    return { kind: 'queued', sequences };
  }

  /** Ends a sequence at any moment, and again; a step in flight finishes without it. */
  cancel(sequence: Sequence): void {
    if (sequence.state === 'waiting') {
      this.#waiting.remove(sequence);
      sequence.state = 'ended';
    } else if (sequence.state === 'running') {
      this.#end(sequence);
      this.#dropEnded();
    }
  }

  /** Ends every sequence, and gives up the step in flight. */
  cancelAll(): readonly Sequence[] {
    this.loseMemory();
    const all = this.#waiting.removeAll();
    for (const sequence of all) sequence.state = 'ended';
    return all;
  }

  /**
   * Gives up the step in flight and everything that the chips held: what ran waits again, in order
   * and before all others, and its tokens so far are computed anew.
   */
  loseMemory(): void {
    for (const sequence of this.#running.reverse()) {
      this.#kv.release(sequence.table);
      sequence.computedTokens = 0;
      this.#waiting.comeBack(sequence);
    }
    this.#running = [];
    this.#released = [];
    this.#kv.clearCache();
    this.#scheduled = undefined;
  }

  /**
   * The next step, or undefined where nothing can run. One step at a time: `complete` must come
   * before the next.
   */
  schedule(nowMicros: number): ScheduledStep | undefined {
    assert(this.#scheduled === undefined, 'a step is completed before the next is scheduled');
    let step: StepBuilder;
    let preempted: boolean;
    do {
      step = new StepBuilder(this.#options.maxNumBatchedTokens);
      preempted = this.#scheduleRunning(step);
      // Blocks that had to be taken from one sequence are not given to a new one.
      if (!preempted) this.#scheduleWaiting(step, nowMicros);
    } while (preempted && step.parts.length === 0);
    if (step.parts.length === 0) return undefined;
    this.#scheduled = { sequences: step.parts, released: this.#released };
    this.#released = [];
    return this.#scheduled;
  }

  /** Takes the drawn token of every sequence of the step that was to be sampled, in its order. */
  complete(drawn: readonly DrawnToken[], nowMicros: number): readonly SequenceOutput[] {
    const step = this.#scheduled;
    assert(step !== undefined, 'a step was scheduled');
    this.#scheduled = undefined;
    const outputs: SequenceOutput[] = [];
    let sampled = 0;
    for (const { sequence, count, sample } of step.sequences) {
      const token = sample ? drawn[sampled++] : undefined;
      if (sequence.state !== 'running') continue; // cancelled meanwhile
      sequence.computedTokens += count;
      if (!sample) continue;
      assert(token !== undefined, `sequence ${sequence.id} was sampled`);
      outputs.push(this.#append(sequence, token, nowMicros));
    }
    if (outputs.some(({ finishReason }) => finishReason !== undefined)) this.#dropEnded();
    return outputs;
  }

  /** What has happened to the content of KV blocks since the last call. */
  takeKvEvents(): readonly KvEvent[] {
    return this.#kv.takeEvents();
  }

  checkIntegrity(): void {
    this.#kv.checkIntegrity(this.#running.map(({ table }) => table));
    assert(this.#running.length <= this.#options.maxNumSeqs, 'max_num_seqs holds');
    for (const sequence of this.#running) {
      assert(sequence.state === 'running', 'who runs is in the state of running');
      assert(pendingTokens(sequence) > 0, 'who runs has something to compute');
    }
  }

  /** Gives running sequences their tokens, in order; returns whether one was preempted for it. */
  #scheduleRunning(step: StepBuilder): boolean {
    const before = this.stats.preemptions;
    for (let index = 0; index < this.#running.length && step.budget > 0; index++) {
      const sequence = this.#running[index]!;
      const count = this.#tokensFor(pendingTokens(sequence), step);
      const tokens = sequence.computedTokens + count;
      while (sequence.state === 'running' && !this.#kv.canGrow(sequence.table, tokens)) {
        const victim = chooseVictim(this.#running, this.#options.schedulingPolicy);
        if (this.#preempt(victim, step) < index) index--;
      }
      if (sequence.state !== 'running') break;
      const newBlocks = this.#kv.grow(sequence.table, tokens);
      step.add({ sequence, count, admitted: false, newBlocks });
    }
    // Not earlier: whoever is preempted computes nothing in this step that others could share.
    for (const { sequence, start, count } of step.parts) {
      this.#kv.remember(sequence.table, sequence.tokens, start + count);
    }
    return this.stats.preemptions > before;
  }

  /** Admits waiting sequences, in order, until one does not fit: nobody overtakes it. */
  #scheduleWaiting(step: StepBuilder, nowMicros: number): void {
    const { maxNumSeqs, blockSize } = this.#options;
    let room: AdmissionRoom | undefined;
    while (step.budget > 0 && this.#running.length < maxNumSeqs) {
      const sequence = this.#waiting.peek();
      if (sequence === undefined) return;
      room ??= new AdmissionRoom(this.#kv, this.#options, this.#running);
      const prefix = this.#kv.findPrefix(sequence.table, sequence.tokens);
      const cached = prefix.length * blockSize;
      const count = this.#tokensFor(sequence.tokens.length - cached, step);
      if (!room.admits(sequence, prefix, cached + count)) return;
      this.#waiting.remove(sequence);
      this.#kv.sharePrefix(sequence.table, prefix);
      this.#admit(sequence, cached, nowMicros);
      this.#kv.grow(sequence.table, cached + count);
      room.reserveFor(sequence);
      step.add({ sequence, count, admitted: true, newBlocks: [...sequence.table.blocks] });
      this.#kv.remember(sequence.table, sequence.tokens, cached + count);
    }
  }

  #admit(sequence: Sequence, cached: number, nowMicros: number): void {
    sequence.state = 'running';
    sequence.computedTokens = cached;
    const { times, request } = sequence;
    const isFirst = times.admittedMicros === undefined;
    // After the first token a preemption counts as decoding.
    if (times.firstTokenMicros === undefined) times.admittedMicros = nowMicros;
    if (isFirst) {
      sequence.cachedTokens = cached;
      this.stats.admitted(request.promptTokens.length, cached);
      this.#waiting.chargePrompt(sequence);
    }
    this.#running.push(sequence);
  }

  /** Returns where in `running` the sequence stood. */
  #preempt(sequence: Sequence, step: StepBuilder): number {
    const index = this.#running.lastIndexOf(sequence);
    this.#running.splice(index, 1);
    step.remove(sequence);
    this.#release(sequence);
    sequence.computedTokens = 0;
    sequence.preemptions++;
    this.stats.preemptions++;
    this.#waiting.comeBack(sequence);
    return index;
  }

  #append(sequence: Sequence, drawn: DrawnToken, nowMicros: number): SequenceOutput {
    const { tokens, times, request, tokenLimit } = sequence;
    tokens.push(drawn.token);
    times.firstTokenMicros ??= nowMicros;
    times.lastTokenMicros = nowMicros;
    this.#waiting.chargeToken(sequence);
    const stopped =
      sequence.stopTokenIds.includes(drawn.token) && completionTokens(sequence) > request.minTokens;
    const finishReason = stopped ? 'stop' : tokens.length >= tokenLimit ? 'length' : undefined;
    if (finishReason !== undefined) this.#end(sequence);
    return { sequence, drawn, finishReason };
  }

  #tokensFor(pending: number, step: StepBuilder): number {
    const threshold = this.#options.longPrefillTokenThreshold || Number.POSITIVE_INFINITY;
    return Math.min(pending, threshold, step.budget);
  }

  /** The caller drops it from `running`. */
  #end(sequence: Sequence): void {
    this.#release(sequence);
    sequence.state = 'ended';
  }

  #release(sequence: Sequence): void {
    this.#kv.release(sequence.table);
    this.#released.push(sequence.id);
  }

  #dropEnded(): void {
    this.#running = this.#running.filter(({ state }) => state === 'running');
  }
}
