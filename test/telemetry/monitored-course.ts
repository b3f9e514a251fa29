import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import { SOHU } from '../../services/core/hardware/chips/sohu.ts';
import type { GenerationRequest, Sequence } from '../../services/core/scheduler/request.ts';
import { shapeOfStep } from '../../services/core/timing/shape-of-step.ts';
import type { EndReason } from '../../services/rpc/telemetry-types.ts';
import { EngineMonitor } from '../../services/runtime/telemetry/engine-monitor.ts';
import { PhantomWorld } from '../cluster/phantom-world.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makePricer } from '../support/pricing.ts';

const LIMITS = { maxNumSeqs: 64, maxNumBatchedTokens: 96, blockSize: 16, kvBlocks: 14 };

/** What may happen to a group; requests that nobody serves a client for end unheard of. */
export type Action =
  | {
      readonly kind: 'request';
      readonly promptTokens: number;
      readonly maxTokens: number;
      readonly n: number;
      /** Tokens of each sample that another engine has drawn; fewer than `maxTokens` are taken. */
      readonly resumed: number;
      readonly isServed: boolean;
    }
  | { readonly kind: 'abort'; readonly pick: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'scrape' }
  | { readonly kind: 'pass'; readonly micros: number };

export const courses = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('request' as const),
        promptTokens: fc.integer({ min: 1, max: 120 }),
        maxTokens: fc.integer({ min: 1, max: 40 }),
        n: fc.integer({ min: 1, max: 3 }),
        resumed: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 39 })),
        isServed: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('scrape' as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        micros: fc.integer({ min: 1, max: 4000 }),
      }),
    },
  ),
  { minLength: 1, maxLength: 40, size: 'max' },
);

/** A monitored phantom group, and an account that takes every token by itself. */
export class MonitoredCourse {
  readonly monitor: EngineMonitor;
  /** Whole microseconds, one for each token but a sample's first. */
  readonly gapsMicros: number[] = [];
  /** Host time to the first token of samples that are served from their first one. */
  readonly firstMicros: number[] = [];
  /** Mean time between its own tokens of each served sample that gained one here; 0 for one token. */
  readonly perTokenMicros: number[] = [];
  readonly ends: Record<EndReason, number> = { stop: 0, length: 0, abort: 0, error: 0 };
  tokens = 0;
  promptTokens = 0;
  baselineSeconds = 0;
  /** Served samples that ended without a token. */
  tokenless = 0;
  /** Served samples that went on from another engine's tokens. */
  resumed = 0;
  readonly #world: PhantomWorld;
  readonly #baseline = makePricer();
  readonly #arrivals = new Map<Sequence, number>();
  readonly #lastMicros = new Map<Sequence, number>();
  readonly #gaps = new Map<Sequence, number[]>();
  readonly #open = new Set<Sequence>();
  #requests = 0;

  constructor() {
    const { kvBlocks, maxNumBatchedTokens } = LIMITS;
    this.#world = new PhantomWorld({ tp: 2, kvBlocks, maxNumBatchedTokens });
    this.monitor = new EngineMonitor({
      ...{ cluster: 'test', group: '0', modelName: 'llama-3-8b', maxModelLen: 8192 },
      serving: {
        ...{ phantom: undefined, precision: 'fp8', tp: 2, ...LIMITS },
        ...{ enablePrefixCaching: true, numGpuBlocksOverride: kvBlocks },
      },
      ...{ coordinator: this.#world.world.coordinator, chip: SOHU, kvFormat: 'bf16' },
      baselines: new Map([['H100', makePricer()]]),
      brokerMonitoringUrls: [],
    });
    this.#world.onEvent = (event) => {
      this.monitor.observe(event);
      this.#observe(event);
    };
  }

  get preemptions(): number {
    return this.#world.world.coordinator.scheduler!.stats.preemptions;
  }

  /** Lets all of it happen, and what is open then end by itself; returns all samples. */
  async run(actions: readonly Action[]): Promise<Sequence[]> {
    const sequences: Sequence[] = [];
    for (const action of actions) sequences.push(...(await this.#do(action)));
    this.#world.run(() => this.#open.size === 0);
    const { coordinator } = this.#world.world;
    this.#world.run(() => !coordinator.isStepInFlight);
    assert.equal(this.#lastMicros.size + this.#arrivals.size, 0, 'the account is closed');
    return sequences;
  }

  async #do(action: Action): Promise<readonly Sequence[]> {
    if (action.kind === 'request') return this.#submit(action);
    if (action.kind === 'abort') this.#abort(action.pick);
    else if (action.kind === 'restart') this.#world.world.restartChip(1);
    else if (action.kind === 'scrape') await this.monitor.metrics.allText('');
    else this.#world.pass(action.micros);
    return [];
  }

  #submit(given: Extract<Action, { kind: 'request' }>): readonly Sequence[] {
    const { promptTokens: length, maxTokens, n, isServed } = given;
    const resumed = Math.min(given.resumed, maxTokens - 1);
    const request: GenerationRequest = makeGenerationRequest({
      requestId: `request-${this.#requests++}`,
      promptTokens: Array.from({ length }, (_, at) => 300 + at),
      ...{ maxTokens, n, ignoreEos: true },
      sampling: { seed: this.#requests, temperature: 1 },
    });
    const tokens = Array.from({ length: resumed }, (_, at) => 500 + at);
    const generated = new Map(Array.from({ length: n }, (_, choice) => [choice, tokens]));
    const sequences = this.#world.submit(request, { generated, toldPromptTokens: 1 });
    if (isServed && resumed > 0) this.resumed += n;
    for (const sequence of sequences) {
      this.#open.add(sequence);
      if (isServed) this.#arrivals.set(sequence, this.#world.nowMicros);
    }
    if (isServed) this.monitor.arrived(sequences, this.#world.nowMicros);
    return sequences;
  }

  #abort(pick: number): void {
    const open = [...this.#open];
    if (open.length === 0) return;
    const sequence = open[pick % open.length]!;
    if (!this.#lastMicros.has(sequence) && this.#arrivals.has(sequence)) this.tokenless++;
    this.#end(sequence, 'abort');
    this.#world.world.coordinator.cancel(sequence);
  }

  /** As the engine tells of ends: of those of its clients alone. */
  #end(sequence: Sequence, reason: EndReason): void {
    this.#open.delete(sequence);
    const hasToken = this.#lastMicros.delete(sequence);
    const gaps = this.#gaps.get(sequence) ?? [];
    this.#gaps.delete(sequence);
    if (!this.#arrivals.delete(sequence)) return;
    if (hasToken) {
      const sum = gaps.reduce((all, each) => all + each, 0);
      this.perTokenMicros.push(sum / Math.max(1, gaps.length));
    }
    this.ends[reason]++;
    this.monitor.ended(sequence, reason);
  }

  #observe(event: CoordinatorEvent): void {
    if (event.kind === 'stepCompleted') {
      this.baselineSeconds += this.#baseline.seconds(shapeOfStep(event.parts));
    }
    if (event.kind === 'requestFailed') this.#end(event.sequence, 'error');
    if (event.kind !== 'token') return;
    const { sequence, finishReason } = event;
    this.#takeToken(sequence);
    if (finishReason !== undefined) this.#end(sequence, finishReason);
  }

  #takeToken(sequence: Sequence): void {
    const { nowMicros } = this.#world;
    const before = this.#lastMicros.get(sequence);
    const arrival = this.#arrivals.get(sequence);
    this.tokens++;
    this.#lastMicros.set(sequence, nowMicros);
    if (before !== undefined) {
      this.gapsMicros.push(nowMicros - before);
      this.#gaps.set(sequence, [...(this.#gaps.get(sequence) ?? []), nowMicros - before]);
      return;
    }
    this.promptTokens += sequence.request.promptTokens.length;
    if (arrival !== undefined && sequence.resumedTokens === 0)
      this.firstMicros.push(nowMicros - arrival);
  }
}
