import { BlockPool } from '../kv/block-pool.ts';
import type { DrawnToken } from '../sampling/drawn-token.ts';
import { assert } from '../support/errors.ts';
import type { FinishReason, GenerationRequest, Sequence } from './request.ts';

/** Limits of a batch, named as vLLM's flags. */
export interface SchedulerOptions {
  readonly maxNumSeqs: number;
  /** Token budget of one step. */
  readonly maxNumBatchedTokens: number;
  /** Tokens of one sequence in one step at the most; 0 is no limit. */
  readonly longPrefillTokenThreshold: number;
  readonly maxNumQueuedReqs: number;
  readonly maxModelLen: number;
  readonly blockSize: number;
  readonly kvBlocks: number;
  readonly stopTokenIds: readonly number[];
}

/** One sequence's part of a step. */
export interface ScheduledSequence {
  readonly sequence: Sequence;
  /** Position of the first of `count` tokens. */
  readonly start: number;
  readonly count: number;
  /** Whether it joins the running ones in this step: the chips do not know it (any more). */
  readonly admitted: boolean;
  /** Blocks that its table gains at the end for this step; all of it where it is admitted. */
  readonly newBlocks: readonly number[];
  /** Whether its last row is to be sampled. */
  readonly sample: boolean;
}

export interface ScheduledStep {
  readonly sequences: readonly ScheduledSequence[];
  /** Sequences whose blocks went back to the pool since the last step. */
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
  | { readonly kind: 'queued'; readonly sequences: readonly Sequence[] }
  | { readonly kind: 'rejected'; readonly reason: 'invalid' | 'full'; readonly message: string };

/**
 * Iteration-level continuous batching: before every step it decides which sequences compute how
 * many tokens, so that requests join and leave between any two steps. Running ones come first; a
 * waiting one is admitted, in order of arrival, when blocks for its longest possible course are
 * free, so that nothing is ever evicted.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #pool: BlockPool;
  readonly #waiting: Sequence[] = [];
  #running: Sequence[] = [];
  #released: number[] = [];
  #scheduled: ScheduledStep | undefined;
  #nextId = 1;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#pool = new BlockPool(options.kvBlocks);
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get runningCount(): number {
    return this.#running.length;
  }

  get usedBlocks(): number {
    return this.#pool.total - this.#pool.freeBlocks;
  }

  /** Queues a request, or says why it can never (`invalid`) or not now (`full`) be served. */
  add(request: GenerationRequest, nowMicros: number): Admission {
    const problem = this.#problemOf(request);
    if (problem !== undefined) return { kind: 'rejected', reason: 'invalid', message: problem };
    const { maxNumQueuedReqs } = this.#options;
    if (this.#waiting.length >= maxNumQueuedReqs) {
      const message = `the queue is full: ${maxNumQueuedReqs} requests are waiting; try again later`;
      return { kind: 'rejected', reason: 'full', message };
    }
    const sequences = Array.from({ length: request.n }, (_, choice) =>
      this.#sequence(request, choice, nowMicros),
    );
    this.#waiting.push(...sequences);
    return { kind: 'queued', sequences };
  }

  #sequence(request: GenerationRequest, choice: number, nowMicros: number): Sequence {
    const { stopTokenIds } = this.#options;
    return {
      id: this.#nextId++,
      request,
      choice,
      stopTokenIds: [...(request.ignoreEos ? [] : stopTokenIds), ...request.stopTokenIds],
      tokens: [...request.promptTokens],
      tokenLimit: this.#tokenLimit(request),
      state: 'waiting',
      computedTokens: 0,
      blocks: [],
      blockHashes: [],
      cachedTokens: 0,
      preemptions: 0,
      times: {
        arrivalMicros: nowMicros,
        admittedMicros: undefined,
        firstTokenMicros: undefined,
        lastTokenMicros: undefined,
      },
    };
  }

  /** Removes a sequence at any moment; a step in flight finishes without it. */
  cancel(sequence: Sequence): void {
    const waiting = this.#waiting.indexOf(sequence);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    else if (this.#running.includes(sequence)) this.#release(sequence);
  }

  /** Removes every sequence, for a group that lost its memory. */
  cancelAll(): readonly Sequence[] {
    const all = [...this.#running, ...this.#waiting];
    for (const sequence of all) this.cancel(sequence);
    this.#scheduled = undefined;
    return all;
  }

  /**
   * The next step, or undefined where nothing can run. One step at a time: `complete` must come
   * before the next.
   */
  schedule(nowMicros: number): ScheduledStep | undefined {
    assert(this.#scheduled === undefined, 'a step is completed before the next is scheduled');
    let budget = this.#options.maxNumBatchedTokens;
    const sequences: ScheduledSequence[] = [];
    for (const sequence of this.#running) {
      const count = this.#tokensFor(sequence, budget);
      if (count > 0) sequences.push(part(sequence, count, false));
      budget -= count;
    }
    while (budget > 0 && this.#canAdmit()) {
      const sequence = this.#admit(nowMicros);
      const count = this.#tokensFor(sequence, budget);
      sequences.push(part(sequence, count, true));
      budget -= count;
    }
    if (sequences.length === 0) return undefined;
    this.#scheduled = { sequences, released: this.#released };
    this.#released = [];
    return this.#scheduled;
  }

  /**
   * Takes the drawn token of every sequence of the step that was to be sampled, in its order.
   */
  complete(drawn: readonly DrawnToken[], nowMicros: number): readonly SequenceOutput[] {
    const step = this.#scheduled;
    assert(step !== undefined, 'a step was scheduled');
    this.#scheduled = undefined;
    const outputs: SequenceOutput[] = [];
    let sampled = 0;
    for (const { sequence, count, sample } of step.sequences) {
      const token = sample ? drawn[sampled++] : undefined;
      if (!this.#running.includes(sequence)) continue; // cancelled meanwhile
      sequence.computedTokens += count;
      if (!sample) continue;
      assert(token !== undefined, `sequence ${sequence.id} was sampled`);
      outputs.push(this.#append(sequence, token, nowMicros));
    }
    return outputs;
  }

  checkIntegrity(): void {
    this.#pool.checkIntegrity();
    const held = this.#running.reduce((sum, sequence) => sum + sequence.blocks.length, 0);
    assert(held === this.usedBlocks, 'every used block is in one running table');
    assert(this.#running.length <= this.#options.maxNumSeqs, 'max_num_seqs holds');
  }

  #append(sequence: Sequence, drawn: DrawnToken, nowMicros: number): SequenceOutput {
    sequence.tokens.push(drawn.token);
    sequence.times.firstTokenMicros ??= nowMicros;
    sequence.times.lastTokenMicros = nowMicros;
    const stopped = sequence.stopTokenIds.includes(drawn.token);
    const atLimit = sequence.tokens.length >= sequence.tokenLimit;
    const finishReason = stopped ? 'stop' : atLimit ? 'length' : undefined;
    if (finishReason !== undefined) this.#release(sequence);
    return { sequence, drawn, finishReason };
  }

  #tokensFor(sequence: Sequence, budget: number): number {
    const threshold = this.#options.longPrefillTokenThreshold || Number.POSITIVE_INFINITY;
    return Math.min(sequence.tokens.length - sequence.computedTokens, threshold, budget);
  }

  #canAdmit(): boolean {
    const next = this.#waiting[0];
    if (next === undefined || this.#running.length >= this.#options.maxNumSeqs) return false;
    return this.#pool.canAllocate(this.#blocksFor(next.tokenLimit));
  }

  #admit(nowMicros: number): Sequence {
    const sequence = this.#waiting.shift()!;
    sequence.blocks = this.#pool.allocate(this.#blocksFor(sequence.tokenLimit));
    sequence.times.admittedMicros = nowMicros;
    this.#running.push(sequence);
    return sequence;
  }

  #release(sequence: Sequence): void {
    this.#running = this.#running.filter((running) => running !== sequence);
    this.#pool.free(sequence.blocks);
    sequence.blocks = [];
    this.#released.push(sequence.id);
  }

  #tokenLimit(request: GenerationRequest): number {
    return Math.min(request.promptTokens.length + request.maxTokens, this.#options.maxModelLen);
  }

  /** Blocks for the keys and values of a sequence; its last token is never computed. */
  #blocksFor(tokenLimit: number): number {
    return Math.ceil((tokenLimit - 1) / this.#options.blockSize);
  }

  #problemOf(request: GenerationRequest): string | undefined {
    const { maxModelLen, kvBlocks, blockSize } = this.#options;
    const length = request.promptTokens.length;
    if (length === 0) return 'the prompt has no tokens; it needs at least one';
    if (length >= maxModelLen) {
      return `the prompt has ${length} tokens; it must have fewer than the context length of ${maxModelLen}`;
    }
    if (!(Number.isInteger(request.maxTokens) && request.maxTokens >= 1)) {
      return `max_tokens must be a whole number of at least 1, not ${request.maxTokens}`;
    }
    const blocks = this.#blocksFor(this.#tokenLimit(request));
    if (blocks > kvBlocks) {
      return `the request may need ${blocks} KV blocks of ${blockSize} tokens; the group has ${kvBlocks}: lower max_tokens`;
    }
    return undefined;
  }
}

function part(sequence: Sequence, count: number, admitted: boolean): ScheduledSequence {
  const start = sequence.computedTokens;
  const newBlocks = admitted ? sequence.blocks : [];
  const sample = start + count === sequence.tokens.length;
  return { sequence, start, count, admitted, newBlocks, sample };
}
