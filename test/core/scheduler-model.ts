import assert from 'node:assert/strict';
import type { SchedulerOptions } from '../../services/core/scheduler/options.ts';
import type { GenerationRequest, Sequence } from '../../services/core/scheduler/request.ts';
import { type ScheduledStep, Scheduler } from '../../services/core/scheduler/scheduler.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { PagedMemory } from './paged-memory.ts';

/** What is known of a sequence from outside. */
interface Known {
  readonly sequence: Sequence;
  state: 'waiting' | 'running' | 'finished' | 'cancelled';
  computed: number;
  preemptions: number;
  /** Whether it waits again, after it has run. */
  cameBack: boolean;
  /** Of all admissions so far, which it was. */
  admission: number;
}

/** Drives a scheduler, and keeps in the plainest way what must be true of it. */
export class SchedulerModel {
  readonly scheduler: Scheduler;
  readonly #options: SchedulerOptions;
  readonly #memory: PagedMemory;
  readonly #known: Known[] = [];
  #step: ScheduledStep | undefined;
  #admissions = 0;
  #now = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.scheduler = new Scheduler(options);
    this.#memory = new PagedMemory(options.blockSize);
  }

  add(given: Parameters<typeof makeGenerationRequest>[0]): void {
    const request = makeGenerationRequest(given);
    const waiting = this.#of('waiting');
    const admission = this.scheduler.add(request, this.#now++);
    const full = this.#isFull(request, waiting);
    if (admission.kind === 'queued') {
      assert.ok(this.#isServable(request) && !full);
      assert.deepEqual(
        admission.sequences.map(({ choice }) => choice),
        Array.from({ length: request.n }, (_, choice) => choice),
      );
      for (const sequence of admission.sequences) {
        const state = 'waiting';
        const counts = { computed: 0, preemptions: 0, admission: 0 };
        this.#known.push({ sequence, state, cameBack: false, ...counts });
      }
    } else {
      assert.equal(admission.reason, this.#isServable(request) ? 'full' : 'invalid');
      if (admission.reason === 'full') assert.ok(full);
      assert.match(admission.message, /^[^.]+$/, 'one sentence');
    }
  }

  /** Cancels any sequence, perhaps one that has ended. */
  cancel(index: number): void {
    const known = this.#known[index % (this.#known.length || 1)];
    if (known === undefined) return;
    this.scheduler.cancel(known.sequence);
    if (known.state === 'waiting' || known.state === 'running') known.state = 'cancelled';
    assert.equal(known.sequence.table.blocks.length, 0, 'it holds no block from now on');
  }

  /** The chips lose all that they hold, perhaps in the middle of a step. */
  loseMemory(): void {
    this.scheduler.loseMemory();
    this.#step = undefined;
    this.#memory.clear();
    for (const known of this.#of('running')) {
      known.state = 'waiting';
      known.computed = 0;
      known.cameBack = true;
    }
    assert.equal(this.scheduler.usedBlocks, 0);
  }

  /** Schedules a step where none is in flight; returns whether there is one now. */
  schedule(): boolean {
    if (this.#step !== undefined) return true;
    const busy = this.#of('waiting').length + this.#of('running').length > 0;
    const step = this.scheduler.schedule(this.#now++);
    assert.equal(step !== undefined, busy, 'idle only where there is nothing to do');
    if (step === undefined) return false;
    this.#checkStep(step);
    this.#memory.execute(step);
    this.#step = step;
    return true;
  }

  complete(seed: number): void {
    const step = this.#step;
    if (step === undefined) return;
    this.#step = undefined;
    const sampled = step.sequences.filter(({ sample }) => sample);
    const drawn = sampled.map((_, index) => ({ token: (seed + index) % 5, logprobs: undefined }));
    for (const { sequence, count } of step.sequences) this.#find(sequence.id).computed += count;
    const outputs = this.scheduler.complete(drawn, this.#now++);
    const alive = sampled.filter(({ sequence }) => this.#find(sequence.id).state === 'running');
    assert.deepEqual(
      outputs.map(({ sequence }) => sequence.id),
      alive.map(({ sequence }) => sequence.id),
    );
    for (const { sequence, drawn: token, finishReason } of outputs) {
      assert.equal(token, drawn[sampled.findIndex((part) => part.sequence === sequence)]);
      const { request, tokens, tokenLimit, stopTokenIds } = sequence;
      const generated = tokens.length - request.promptTokens.length;
      const stopped = stopTokenIds.includes(token.token) && generated > request.minTokens;
      const full = tokens.length === tokenLimit;
      assert.equal(finishReason, stopped ? 'stop' : full ? 'length' : undefined);
      if (finishReason !== undefined) this.#find(sequence.id).state = 'finished';
    }
  }

  /** What holds at every moment. */
  check(): void {
    this.scheduler.checkIntegrity();
    assert.equal(this.scheduler.waitingCount, this.#of('waiting').length);
    assert.equal(this.scheduler.runningCount, this.#of('running').length);
    const held = new Set(this.#known.flatMap(({ sequence }) => sequence.table.blocks));
    assert.equal(this.scheduler.usedBlocks, held.size);
    for (const { sequence, state, computed, preemptions } of this.#known) {
      assert.ok(sequence.tokens.length <= sequence.tokenLimit);
      assert.equal(sequence.preemptions, preemptions);
      if (state === 'running') assert.equal(sequence.computedTokens, computed);
      else assert.equal(sequence.table.blocks.length, 0);
      if (state === 'waiting') assert.equal(sequence.computedTokens, 0);
    }
    if (this.#options.capacitySchedulerPolicy === 'guaranteed_no_evict') {
      assert.equal(this.scheduler.stats.preemptions, 0);
    }
  }

  /** Runs until nothing is left; checks that every request finished. */
  finish(): void {
    for (let steps = 0; this.schedule(); steps++) {
      assert.ok(steps < 20_000, 'every request finishes');
      this.complete(steps);
      this.check();
    }
    assert.equal(this.scheduler.usedBlocks, 0);
    assert.equal(this.#of('finished').length + this.#of('cancelled').length, this.#known.length);
  }

  #checkStep({ sequences, released }: ScheduledStep): void {
    const { maxNumBatchedTokens, maxNumSeqs } = this.#options;
    const total = sequences.reduce((sum, { count }) => sum + count, 0);
    assert.ok(total <= maxNumBatchedTokens && sequences.length <= maxNumSeqs);
    const victims = released
      .map((id) => this.#find(id))
      .filter(({ state }) => state !== 'finished' && state !== 'cancelled');
    this.#checkVictims(victims);
    const admissions = sequences.filter(({ admitted }) => admitted);
    // By priority the first in order may give way to itself; then the step is scheduled anew.
    if (this.#options.schedulingPolicy !== 'priority' && victims.length > 0) {
      assert.equal(admissions.length, 0, 'no admission beside a preemption');
    }
    for (const part of sequences) this.#checkPart(part);
  }

  #checkPart(part: ScheduledStep['sequences'][number]): void {
    const { sequence, start, count, admitted, sample } = part;
    const { longPrefillTokenThreshold, blockSize } = this.#options;
    const known = this.#find(sequence.id);
    assert.equal(admitted, known.state === 'waiting');
    if (admitted) {
      this.#checkOrder(known);
      known.admission = ++this.#admissions;
      assert.equal(start % blockSize, 0, 'a hit is of whole blocks');
      assert.ok(start < sequence.tokens.length, 'a token is left to sample from');
      known.computed = start;
    }
    known.state = 'running';
    assert.equal(start, known.computed);
    assert.ok(count > 0 && count <= (longPrefillTokenThreshold || Number.POSITIVE_INFINITY));
    assert.equal(sample, start + count === sequence.tokens.length);
  }

  /** Whoever gives way is the least important, or without importance the last admitted. */
  #checkVictims(victims: readonly Known[]): void {
    for (const victim of victims) {
      victim.state = 'waiting';
      victim.preemptions++;
      victim.cameBack = true;
    }
    for (const victim of victims) {
      for (const other of this.#of('running')) {
        if (this.#options.schedulingPolicy === 'priority') assert.ok(comesBefore(other, victim));
        else assert.ok(other.admission < victim.admission);
      }
    }
  }

  /** Nobody who waits and comes before is passed over. */
  #checkOrder(admitted: Known): void {
    const { schedulingPolicy } = this.#options;
    for (const other of this.#of('waiting')) {
      if (other === admitted) continue;
      if (schedulingPolicy === 'priority') assert.ok(comesBefore(admitted, other));
      if (schedulingPolicy !== 'fcfs') continue;
      if (other.cameBack) assert.ok(admitted.cameBack, 'who has run comes first');
      else if (!admitted.cameBack) assert.ok(admitted.sequence.id < other.sequence.id);
    }
  }

  #isServable({ promptTokens, maxTokens, minTokens, n }: GenerationRequest): boolean {
    const { maxModelLen, blockSize, kvBlocks, maxNumQueuedReqs, maxNumQueuedTokens } =
      this.#options;
    const prompt = promptTokens.length;
    const longest = Math.min(prompt + maxTokens, maxModelLen) - 1;
    return (
      prompt > 0 &&
      prompt < maxModelLen &&
      maxTokens > 0 &&
      minTokens <= maxTokens &&
      n > 0 &&
      n <= maxNumQueuedReqs &&
      n * prompt <= (maxNumQueuedTokens ?? Number.POSITIVE_INFINITY) &&
      Math.ceil(longest / blockSize) <= kvBlocks
    );
  }

  #isFull({ promptTokens, n }: GenerationRequest, waiting: readonly Known[]): boolean {
    const { maxNumQueuedReqs, maxNumQueuedTokens } = this.#options;
    const running = this.#of('running');
    const left = [...waiting, ...running].reduce((sum, { sequence, state, computed }) => {
      const done = state === 'running' ? computed : 0;
      return sum + Math.max(0, sequence.request.promptTokens.length - done);
    }, 0);
    return (
      waiting.length + running.length + n > maxNumQueuedReqs ||
      left + n * promptTokens.length > (maxNumQueuedTokens ?? Number.POSITIVE_INFINITY)
    );
  }

  #find(id: number): Known {
    const known = this.#known.find(({ sequence }) => sequence.id === id);
    assert.ok(known !== undefined);
    return known;
  }

  #of(state: Known['state']): Known[] {
    return this.#known.filter((known) => known.state === state);
  }
}

function comesBefore({ sequence: a }: Known, { sequence: b }: Known): boolean {
  if (a.request.priority !== b.request.priority) return a.request.priority < b.request.priority;
  return a.id < b.id;
}
