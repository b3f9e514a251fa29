import type { KvEvent } from '../kv/kv-events.ts';
import type { DrawnToken } from '../sampling/drawn-token.ts';
import { assert } from '../support/errors.ts';
import { findProblem, findRefusal, type Refusal } from './admission.ts';
import { AdmissionRoom } from './admission-room.ts';
import type { SchedulerOptions } from './options.ts';
import { chooseVictim } from './preemption.ts';
import { awaitsPromptLogprobs } from './prompt-targets.ts';
import {
  appendToken,
  completionTokens,
  createSequence,
  type FinishReason,
  finishReasonAfter,
  type GenerationRequest,
  type RequestProgress,
  type Sequence,
} from './request.ts';
import type { SchedulerStats } from './scheduler-stats.ts';
import { Sequences } from './sequences.ts';
import { type ScheduledSequence, StepBuilder } from './step-builder.ts';

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
  #options: SchedulerOptions;
  readonly #sequences: Sequences;
  #scheduled: ScheduledStep | undefined;
  #nextId = 1;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#sequences = new Sequences(options);
  }

  get waitingCount(): number {
    return this.#sequences.waiting.count;
  }

  get runningCount(): number {
    return this.#sequences.running.length;
  }

  get totalBlocks(): number {
    return this.#sequences.kv.totalBlocks;
  }

  get usedBlocks(): number {
    return this.#sequences.kv.usedBlocks;
  }

  get stats(): SchedulerStats {
    return this.#sequences.stats;
  }

  /**
   * Queues a request, or says why it can never (`invalid`) or not now (`full`) be served. One that
   * another engine had begun goes on from its progress: only samples that this names are queued.
   */
  add(request: GenerationRequest, nowMicros: number, progress?: RequestProgress): Admission {
    const { generated = unbegun(request), toldPromptTokens } = progress ?? {};
    const load = this.#sequences;
    const refusal = findRefusal(request, { samples: generated.size, options: this.#options, load });
    if (refusal !== undefined) return refusal;
    const sequences = this.restore(request, generated, nowMicros);
    if (toldPromptTokens !== undefined) {
      for (const sequence of sequences) sequence.toldPromptTokens = toldPromptTokens;
    }
    return { kind: 'queued', sequences };
  }

  /**
   * Queues the unfinished samples of a request that was taken in before, by choice with the tokens
   * that each has drawn: whatever the bounds are, they are served.
   */
  restore(
    request: GenerationRequest,
    generated: ReadonlyMap<number, readonly number[]>,
    nowMicros: number,
  ): readonly Sequence[] {
    const options = this.#options;
    return [...generated].map(([choice, tokens]) => {
      const id = this.#nextId++;
      const sequence = createSequence({
        id,
        request,
        choice,
        generated: tokens,
        nowMicros,
        options,
      });
      this.#sequences.waiting.arrive(sequence);
      return sequence;
    });
  }

  /**
   * Goes on with another number of blocks, when the chips have lost their memory. Ends what needs
   * more of them than there are, and returns it.
   */
  resize(kvBlocks: number): readonly Sequence[] {
    if (kvBlocks === this.#options.kvBlocks) return [];
    this.#options = { ...this.#options, kvBlocks };
    this.#sequences.resize(this.#options);
    return this.removeUnservable();
  }

  /** Ends what waits and can never be served, and returns it. */
  removeUnservable(): readonly Sequence[] {
    return this.#sequences.endWaiting(
      ({ request }) => findProblem(request, this.#options) !== undefined,
    );
  }

  /** Ends a sequence at any moment, and again; a step in flight finishes without it. */
  cancel(sequence: Sequence): void {
    this.#sequences.cancel(sequence);
  }

  /** Ends every sequence, and gives up the step in flight. */
  cancelAll(): readonly Sequence[] {
    this.loseMemory();
    return this.#sequences.endWaiting(() => true);
  }

  /**
   * Gives up the step in flight and everything that the chips held: what ran waits again, and its
   * tokens so far are computed anew.
   */
  loseMemory(): void {
    this.#sequences.loseMemory();
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
      const budget = this.#options.maxNumBatchedTokens;
      step = new StepBuilder({ budget, spareRows: this.#spareRows });
      preempted = this.#scheduleRunning(step);
      // Blocks that had to be taken from one sequence are not given to a new one.
      if (!preempted) this.#scheduleWaiting(step, nowMicros);
    } while (preempted && step.parts.length === 0);
    if (step.parts.length === 0) return undefined;
    this.#scheduled = { sequences: step.parts, released: this.#sequences.takeReleased() };
    return this.#scheduled;
  }

  /** Takes the drawn token of every sequence of the step that was to be sampled, in its order. */
  complete(drawn: readonly DrawnToken[], nowMicros: number): readonly SequenceOutput[] {
    const step = this.#scheduled;
    assert(step !== undefined, 'a step was scheduled');
    this.#scheduled = undefined;
    const outputs: SequenceOutput[] = [];
    let sampled = 0;
    for (const { sequence, count, sample, promptTargets } of step.sequences) {
      const token = sample ? drawn[sampled++] : undefined;
      if (sequence.state !== 'running') continue; // cancelled meanwhile
      sequence.computedTokens += count;
      sequence.toldPromptTokens = Math.max(sequence.toldPromptTokens, promptTargets.end);
      if (!sample) continue;
      assert(token !== undefined, 'who was to be sampled was');
      outputs.push(this.#append(sequence, token, nowMicros));
    }
    return outputs;
  }

  /** What has happened to the content of KV blocks since the last call. */
  takeKvEvents(): readonly KvEvent[] {
    return this.#sequences.kv.takeEvents();
  }

  checkIntegrity(): void {
    this.#sequences.checkIntegrity();
    assert(this.runningCount <= this.#options.maxNumSeqs, 'max_num_seqs holds');
  }

  /** Gives running sequences their tokens, in order; returns whether one was preempted for it. */
  #scheduleRunning(step: StepBuilder): boolean {
    const { kv, running, stats } = this.#sequences;
    const before = stats.preemptions;
    for (let index = 0; index < running.length && step.budget > 0; index++) {
      const sequence = running[index]!;
      const { computedTokens } = sequence;
      const count = this.#tokensFor(sequence, computedTokens, step);
      const tokens = computedTokens + count;
      let newBlocks = kv.grow(sequence.table, tokens);
      while (newBlocks === undefined) {
        const victim = chooseVictim(running, this.#options.schedulingPolicy);
        step.remove(victim);
        if (this.#sequences.preempt(victim) < index) index--;
        if (victim === sequence) break;
        newBlocks = kv.grow(sequence.table, tokens);
      }
      if (newBlocks === undefined) break;
      step.add({ sequence, count, admitted: false, newBlocks });
    }
    // Not earlier: whoever is preempted computes nothing in this step that others could share.
    for (const { sequence, start, count } of step.parts) {
      kv.remember(sequence.table, sequence.tokens, start + count);
    }
    return stats.preemptions > before;
  }

  /** Admits waiting sequences, in order, until one does not fit: nobody overtakes it. */
  #scheduleWaiting(step: StepBuilder, nowMicros: number): void {
    const { kv, running, waiting } = this.#sequences;
    let room: AdmissionRoom | undefined;
    while (step.budget > 0 && running.length < this.#options.maxNumSeqs) {
      const sequence = waiting.peek();
      if (sequence === undefined) return;
      const { table, tokens } = sequence;
      room ??= new AdmissionRoom(kv, this.#options, running);
      const prefix = awaitsPromptLogprobs(sequence) ? [] : kv.findPrefix(table, tokens);
      const cached = prefix.length * kv.blockSize;
      const count = this.#tokensFor(sequence, cached, step);
      if (!room.admits(sequence, prefix, cached + count)) return;
      this.#sequences.admit(sequence, prefix, nowMicros);
      kv.grow(table, cached + count);
      room.reserveFor(sequence);
      step.add({ sequence, count, admitted: true, newBlocks: [...table.blocks] });
      kv.remember(table, tokens, cached + count);
    }
  }

  #append(sequence: Sequence, drawn: DrawnToken, nowMicros: number): SequenceOutput {
    appendToken(sequence, drawn.token, nowMicros);
    this.#sequences.waiting.chargeToken(sequence);
    const finishReason = finishReasonAfter(sequence, drawn.token, completionTokens(sequence));
    if (finishReason !== undefined) this.#sequences.end(sequence);
    return { sequence, drawn, finishReason };
  }

  #tokensFor(sequence: Sequence, start: number, step: StepBuilder): number {
    const threshold = this.#options.longPrefillTokenThreshold || Number.POSITIVE_INFINITY;
    return step.fit(sequence, start, Math.min(sequence.tokens.length - start, threshold));
  }

  /** Rows of logits that nobody needs who runs, or may be admitted next, to sample. */
  get #spareRows(): number {
    const { maxNumSeqs } = this.#options;
    return Math.max(0, maxNumSeqs - this.runningCount - this.waitingCount);
  }
}

/** Every sample of a request, without tokens. */
function unbegun({ n }: GenerationRequest): ReadonlyMap<number, readonly number[]> {
  return new Map(Array.from({ length: n }, (_, choice) => [choice, []]));
}
