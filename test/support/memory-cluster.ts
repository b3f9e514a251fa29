import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Bus } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import type { GrammarCompiler } from '../../services/core/grammar/grammar.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import type { KvCacheDtype, Precision } from '../../services/core/model/precision.ts';
import type { DrawLogprobs, PromptLogprobs } from '../../services/core/sampling/drawn-token.ts';
import type { SamplingParams } from '../../services/core/sampling/params.ts';
import type { SchedulerOptions } from '../../services/core/scheduler/options.ts';
import type { FinishReason, Sequence } from '../../services/core/scheduler/request.ts';
import { ChipHost } from '../../services/runtime/chip/chip-host.ts';
import { CoordinatorHost } from '../../services/runtime/coordinator/coordinator-host.ts';
import type { Shard } from '../../services/shard/shard.ts';
import { makeGenerationRequest } from './generation-request.ts';
import { makeSchedulerOptions } from './scheduler-options.ts';

export interface MemoryClusterOptions {
  readonly model: string;
  readonly tp: number;
  readonly precision?: Precision;
  readonly kvCacheDtype?: KvCacheDtype;
  readonly blockSize?: number;
  readonly kvBlocks?: number;
  readonly chunk?: number;
  readonly maxNumSeqs?: number;
  readonly maxNumBatchedTokens?: number;
  readonly scheduler?: Partial<SchedulerOptions>;
  readonly threads?: number;
  readonly stepTimeoutMicros?: number;
  /** Without them requests have no constraints. */
  readonly grammars?: GrammarCompiler;
  /** Wraps the bus of a chip, for faults. */
  readonly wrapBus?: (bus: Bus, rank: number) => Bus;
  /** Hears of every drawn token, while the logits of the step's `sample`-th sampled row are still there. */
  readonly onToken?: (cluster: MemoryCluster, sample: number) => void;
  /** Hears of everything that happens in the group. */
  readonly onEvent?: (event: CoordinatorEvent) => void;
}

export interface GenerateOptions {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly minTokens?: number;
  /** All that end it: the model's own are generated through. */
  readonly stopTokenIds?: readonly number[];
  readonly sampling?: Partial<SamplingParams>;
  readonly constraint?: Constraint | undefined;
  /** Which of the request's parallel samples is looked at; as many are generated as it takes. */
  readonly choice?: number;
}

/** What a request gained, with a hash of the bits of the logits that each token was drawn from. */
export interface Generation {
  readonly tokens: readonly number[];
  readonly logprobs: readonly (DrawLogprobs | undefined)[];
  readonly logits: readonly string[];
  /** One for each token of the prompt but the first, in order; empty where nobody asked. */
  readonly promptLogprobs: readonly PromptLogprobs[];
  readonly finishReason: FinishReason;
}

interface Pending {
  readonly tokens: number[];
  readonly logprobs: (DrawLogprobs | undefined)[];
  readonly logits: string[];
  readonly promptLogprobs: PromptLogprobs[];
  readonly resolve: (generation: Generation) => void;
  readonly reject: (error: Error) => void;
}

/** The real coordinator and chips on real kernels, in one process over an in-memory bus. */
export class MemoryCluster {
  readonly config: ModelConfig;
  readonly chips: readonly ChipHost[];
  readonly host: CoordinatorHost;
  readonly #options: MemoryClusterOptions;
  readonly #pending = new Map<Sequence, Pending>();
  /** Tokens that the step in flight has brought so far. */
  #samples = 0;
  #ready: () => void = () => {};
  #refused: (error: Error) => void = () => {};
  #stepFailed: (message: string) => void = () => {};
  #idle: () => void = () => {};

  private constructor(options: MemoryClusterOptions, config: ModelConfig) {
    const broker = new MemoryBroker();
    const { model, tp, wrapBus } = options;
    this.#options = options;
    this.config = config;
    const common = { cluster: 'test', group: '0' };
    const maxNumSeqs = options.maxNumSeqs ?? 64;
    const maxNumBatchedTokens = options.maxNumBatchedTokens ?? 1024;
    const blockSize = options.blockSize ?? 16;
    const spec = {
      model,
      precision: options.precision ?? 'f32',
      kvCacheDtype: options.kvCacheDtype ?? 'auto',
      tensorParallel: tp,
      blockSize,
      numGpuBlocksOverride: options.kvBlocks ?? 2048,
      maxNumBatchedTokens,
      maxNumSeqs,
    } as const;
    this.host = new CoordinatorHost({
      ...common,
      bus: broker.connect(),
      spec,
      scheduler: makeSchedulerOptions({
        maxNumSeqs,
        maxNumBatchedTokens,
        blockSize,
        longPrefillTokenThreshold: options.chunk ?? 0,
        maxModelLen: config.maxPositions,
        stopTokenIds: config.stopTokenIds,
        ...options.scheduler,
      }),
      vocabSize: config.vocabSize,
      ...(options.grammars && { grammars: options.grammars }),
      stepTimeoutMicros: options.stepTimeoutMicros ?? 60e6,
      patienceMicros: 60e6,
      onEvent: (event) => this.#observe(event),
    });
    this.chips = Array.from({ length: tp }, (_, rank) => {
      const bus = broker.connect({ noEcho: true });
      return new ChipHost({
        ...common,
        bus: wrapBus === undefined ? bus : wrapBus(bus, rank),
        rank,
        threads: options.threads ?? 1,
        metricsAddress: '',
        onStep: () => {},
      });
    });
  }

  /** Forms a cluster for `work`, and closes it however that ends: its timers would keep the process alive. */
  static async use<T>(
    options: MemoryClusterOptions,
    work: (cluster: MemoryCluster) => Promise<T>,
  ): Promise<T> {
    const checkpoint = openCheckpoint(options.model);
    checkpoint.close();
    const cluster = new MemoryCluster(options, checkpoint.config);
    try {
      await cluster.#form();
      return await work(cluster);
    } finally {
      await cluster.#close();
    }
  }

  /** Generates for all prompts at once; rejects where a request fails. */
  generateAll(requests: readonly GenerateOptions[]): Promise<Generation[]> {
    return Promise.all(requests.map((request, index) => this.#generate(request, index)));
  }

  async generate(request: GenerateOptions): Promise<Generation> {
    return (await this.generateAll([request]))[0]!;
  }

  /** Resolves once no request is left. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      if (this.#isIdle) resolve();
    });
  }

  /** Why the next step that fails does. */
  nextStepFailure(): Promise<string> {
    return new Promise((resolve) => {
      this.#stepFailed = resolve;
    });
  }

  /** The whole vocabulary's logits of a sampled row of the last step. */
  logits(sample = 0): Float32Array {
    const parts = this.chips.map((chip) => (chip.loaded!.shard as Shard).logitsOf(sample));
    return Float32Array.from(parts.flatMap((part) => [...part]));
  }

  get #isIdle(): boolean {
    const scheduler = this.host.coordinator.scheduler!;
    return scheduler.runningCount + scheduler.waitingCount === 0;
  }

  #form(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ready = resolve;
      this.#refused = reject;
      this.host.start();
      for (const chip of this.chips) chip.start();
    });
  }

  async #close(): Promise<void> {
    this.host.close();
    await Promise.all(this.chips.map((chip) => chip.close()));
  }

  #generate(request: GenerateOptions, index: number): Promise<Generation> {
    const { choice = 0 } = request;
    return new Promise((resolve, reject) => {
      const admission = this.host.coordinator.submit(
        makeGenerationRequest({
          requestId: `request-${index}`,
          promptTokens: request.prompt,
          maxTokens: request.maxTokens,
          minTokens: request.minTokens ?? 0,
          stopTokenIds: request.stopTokenIds ?? [],
          sampling: request.sampling ?? {},
          constraint: request.constraint,
          ignoreEos: true,
          n: choice + 1,
        }),
      );
      if (admission.kind !== 'queued') {
        reject(new Error(JSON.stringify(admission)));
        return;
      }
      const gains = { tokens: [], logprobs: [], logits: [], promptLogprobs: [] };
      this.#pending.set(admission.sequences[choice]!, { ...gains, resolve, reject });
    });
  }

  #observe(event: CoordinatorEvent): void {
    this.#options.onEvent?.(event);
    if (event.kind === 'ready') this.#ready();
    if (event.kind === 'stepFailed') {
      this.#samples = 0;
      this.#stepFailed(event.message);
    }
    if (event.kind === 'refused') this.#refused(new Error(event.message));
    if (event.kind === 'requestFailed') {
      this.#pending.get(event.sequence)?.reject(new Error(event.message));
    }
    if (event.kind === 'stepCompleted') {
      this.#samples = 0;
      if (this.#isIdle) this.#idle();
    }
    if (event.kind === 'promptLogprobs') this.#takePrompt(event);
    if (event.kind === 'token') this.#takeToken(event);
  }

  #takePrompt({
    sequence,
    start,
    logprobs,
  }: Extract<CoordinatorEvent, { kind: 'promptLogprobs' }>): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    assert.equal(pending.promptLogprobs.length, start - 1, 'a prompt is told in order, and once');
    assert.equal(pending.tokens.length, 0, 'a prompt is told before the first token');
    pending.promptLogprobs.push(...logprobs);
  }

  #takeToken({
    sequence,
    drawn,
    finishReason,
  }: Extract<CoordinatorEvent, { kind: 'token' }>): void {
    const sample = this.#samples++;
    this.#options.onToken?.(this, sample);
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    const { tokens, logprobs, logits, promptLogprobs } = pending;
    tokens.push(drawn.token);
    logprobs.push(drawn.logprobs);
    logits.push(createHash('sha1').update(this.logits(sample)).digest('hex'));
    if (finishReason === undefined) return;
    pending.resolve({ tokens, logprobs, logits, promptLogprobs, finishReason });
  }
}
