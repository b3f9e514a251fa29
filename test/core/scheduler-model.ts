import assert from 'node:assert/strict';
import type { Sequence } from '../../services/core/scheduler/request.ts';
import {
  type ScheduledStep,
  Scheduler,
  type SchedulerOptions,
} from '../../services/core/scheduler/scheduler.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';

/** What is known of a sequence from outside. */
interface Known {
  readonly sequence: Sequence;
  state: 'waiting' | 'running' | 'finished' | 'cancelled';
  computed: number;
  releasedTimes: number;
}

/** Drives a scheduler, and keeps in the plainest way what must be true of it. */
export class SchedulerModel {
  readonly #options: SchedulerOptions;
  readonly #scheduler: Scheduler;
  readonly #known: Known[] = [];
  #step: ScheduledStep | undefined;
  #now = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#scheduler = new Scheduler(options);
  }

  add(request: {
    readonly prompt: number;
    readonly maxTokens: number;
    readonly ignoreEos: boolean;
  }): void {
    const promptTokens = Array.from({ length: request.prompt }, (_, index) => index);
    const { maxTokens, ignoreEos } = request;
    const waiting = this.#count('waiting');
    const admission = this.#scheduler.add(
      makeGenerationRequest({ promptTokens, maxTokens, ignoreEos }),
      this.#now++,
    );
    const { maxModelLen, kvBlocks, blockSize, maxNumQueuedReqs } = this.#options;
    const longest = Math.min(request.prompt + maxTokens, maxModelLen) - 1;
    const servable =
      request.prompt > 0 &&
      request.prompt < maxModelLen &&
      maxTokens > 0 &&
      Math.ceil(longest / blockSize) <= kvBlocks;
    if (admission.kind === 'queued') {
      assert.ok(servable && waiting < maxNumQueuedReqs);
      const sequence = admission.sequences[0]!;
      this.#known.push({ sequence, state: 'waiting', computed: 0, releasedTimes: 0 });
    } else {
      assert.equal(admission.reason, servable ? 'full' : 'invalid');
      assert.ok(admission.message.length > 0);
    }
  }

  cancel(index: number): void {
    const known = this.#known[index % (this.#known.length || 1)];
    if (known === undefined) return;
    this.#scheduler.cancel(known.sequence);
    if (known.state === 'waiting' || known.state === 'running') known.state = 'cancelled';
  }

  /** Schedules a step where none is in flight; returns whether there is one now. */
  schedule(): boolean {
    if (this.#step !== undefined) return true;
    const busy = this.#count('waiting') + this.#count('running') > 0;
    const step = this.#scheduler.schedule(this.#now++);
    assert.equal(step !== undefined, busy, 'idle only where there is nothing to do');
    if (step === undefined) return false;
    this.#checkStep(step);
    this.#step = step;
    return true;
  }

  complete(seed: number): void {
    const step = this.#step;
    if (step === undefined) return;
    this.#step = undefined;
    const sampled = step.sequences.filter(({ sample }) => sample);
    const tokens = new Map(sampled.map(({ sequence }, index) => [sequence.id, (seed + index) % 5]));
    const drawn = [...tokens.values()].map((token) => ({ token, logprobs: undefined }));
    for (const { sequence, count } of step.sequences) this.#find(sequence.id).computed += count;
    const outputs = this.#scheduler.complete(drawn, this.#now++);
    const alive = sampled.filter(({ sequence }) => this.#find(sequence.id).state === 'running');
    assert.deepEqual(
      outputs.map(({ sequence }) => sequence.id),
      alive.map(({ sequence }) => sequence.id),
    );
    for (const { sequence, drawn, finishReason } of outputs) {
      const { token } = drawn;
      assert.equal(token, tokens.get(sequence.id));
      const { ignoreEos } = sequence.request;
      const stopped = !ignoreEos && this.#options.stopTokenIds.includes(token);
      const full = sequence.tokens.length === sequence.tokenLimit;
      assert.equal(finishReason, stopped ? 'stop' : full ? 'length' : undefined);
      if (finishReason !== undefined) this.#find(sequence.id).state = 'finished';
    }
  }

  /** What holds at every moment. */
  check(): void {
    const scheduler = this.#scheduler;
    scheduler.checkIntegrity();
    assert.equal(scheduler.waitingCount, this.#count('waiting'));
    assert.equal(scheduler.runningCount, this.#count('running'));
    const held = this.#known.flatMap(({ sequence }) => sequence.blocks);
    assert.equal(new Set(held).size, held.length, 'a block is in one table');
    assert.equal(scheduler.usedBlocks, held.length);
    for (const { sequence, state, computed } of this.#known) {
      assert.ok(sequence.tokens.length <= sequence.tokenLimit);
      if (state === 'running') assert.equal(sequence.computedTokens, computed);
      assert.equal(sequence.blocks.length > 0, state === 'running' && sequence.tokenLimit > 1);
    }
  }

  /** Runs until nothing is left; checks that every request finished. */
  finish(): void {
    for (let steps = 0; this.schedule(); steps++) {
      assert.ok(steps < 5000, 'every request finishes');
      this.complete(steps);
      this.check();
    }
    assert.equal(this.#scheduler.usedBlocks, 0);
    assert.equal(this.#count('finished') + this.#count('cancelled'), this.#known.length);
  }

  #checkStep({ sequences, released }: ScheduledStep): void {
    const { maxNumBatchedTokens, maxNumSeqs, longPrefillTokenThreshold } = this.#options;
    const total = sequences.reduce((sum, { count }) => sum + count, 0);
    assert.ok(total <= maxNumBatchedTokens && sequences.length <= maxNumSeqs);
    for (const id of released) {
      const known = this.#find(id);
      assert.ok(known.state === 'finished' || known.state === 'cancelled');
      assert.equal(++known.releasedTimes, 1);
    }
    for (const { sequence, start, count, admitted, sample } of sequences) {
      const known = this.#find(sequence.id);
      assert.equal(admitted, known.state === 'waiting');
      if (admitted) this.#checkOrder(known);
      known.state = 'running';
      assert.equal(start, known.computed);
      assert.ok(count > 0 && count <= (longPrefillTokenThreshold || Number.POSITIVE_INFINITY));
      assert.equal(sample, start + count === sequence.tokens.length);
      const slots = sequence.blocks.length * this.#options.blockSize;
      assert.ok(start + count <= slots, 'every computed token has a slot');
    }
  }

  /** First come, first served: nobody who waits came before. */
  #checkOrder(admitted: Known): void {
    const earlier = this.#known.slice(0, this.#known.indexOf(admitted));
    assert.ok(earlier.every(({ state }) => state !== 'waiting'));
  }

  #find(id: number): Known {
    const known = this.#known.find(({ sequence }) => sequence.id === id);
    assert.ok(known !== undefined);
    return known;
  }

  #count(state: Known['state']): number {
    return this.#known.filter((known) => known.state === state).length;
  }
}
