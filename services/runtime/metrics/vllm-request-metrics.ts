import type { Registry } from 'prom-client';
import type { GenerationRequest, RequestTimes, Sequence } from '../../core/scheduler/request.ts';
import { completionTokens } from '../../core/scheduler/request.ts';
import type { EndReason } from '../../rpc/telemetry-types.ts';
import { hostMicros } from '../support/host-clock.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';
import type { LatencyMetrics } from './latency-metrics.ts';
import { registerReadCounter, registerTotal } from './read-counter.ts';
import type { TokenGaps } from './token-gaps.ts';
import * as buckets from './vllm-buckets.ts';

const END_REASONS: readonly EndReason[] = ['stop', 'length', 'abort', 'error'];

/** A request whose samples have not all ended. */
interface OpenRequest {
  /** When it came to the engine, which is before it was tokenized. */
  readonly arrivalMicros: number;
  openSamples: number;
  /** Of the longest of its samples. */
  mostTokens: number;
}

/**
 * What vLLM counts of requests, by its names and at its moments: prompts with their first token,
 * lengths and intervals with the end of a sample, `params_n` with the end of the last one. A sample
 * that another engine began has no time to its first token here, and none per token of those before.
 */
export class VllmRequestMetrics {
  readonly #fine: LatencyMetrics;
  readonly #open = new Map<GenerationRequest, OpenRequest>();
  readonly #gaps: TokenGaps;
  readonly #seconds: Readonly<Record<LatencyName, BucketCounts>>;
  readonly #counts: Readonly<Record<CountName, BucketCounts>>;
  readonly #ends: Record<EndReason, number> = { stop: 0, length: 0, abort: 0, error: 0 };
  #promptTokens = 0;
  #cachedTokens = 0;
  #generatedTokens = 0;

  /** Latencies are observed in the fine buckets too. */
  constructor(
    registry: Registry,
    options: {
      readonly maxModelLen: number;
      readonly fine: LatencyMetrics;
      readonly gaps: TokenGaps;
    },
  ) {
    this.#fine = options.fine;
    this.#gaps = options.gaps;
    const lengths = buckets.oneTwoFive(options.maxModelLen);
    this.#seconds = makeHistograms(registry, LATENCIES);
    this.#counts = makeHistograms(
      registry,
      Object.fromEntries(
        Object.entries(COUNTS).map(([name, [help, bounds]]) => [name, [help, bounds ?? lengths]]),
      ) as unknown as Readonly<Record<CountName, Described>>,
    );
    this.#countTokens(registry);
    this.#countEnds(registry);
  }

  /** Takes in the samples of a request that came at that moment. */
  arrived(sequences: readonly Sequence[], arrivalMicros: number): void {
    const { request } = sequences[0]!;
    this.#open.set(request, { arrivalMicros, openSamples: sequences.length, mostTokens: 0 });
  }

  /** Tokens that all samples have gained. */
  get generatedTokens(): number {
    return this.#generatedTokens;
  }

  /** Takes the token that a sample has gained. */
  token(sequence: Sequence): void {
    this.#generatedTokens++;
    const { times, previousTokenMicros } = sequence;
    const nowMicros = times.lastTokenMicros!;
    if (previousTokenMicros === undefined) this.#firstToken(sequence, nowMicros);
    else this.#gaps.add(nowMicros - previousTokenMicros);
  }

  /** Takes the end of a sample, as its client hears of it. */
  ended(sequence: Sequence, reason: EndReason): void {
    this.#ends[reason]++;
    const open = this.#open.get(sequence.request);
    if (open === undefined) return;
    this.#observeCounts(sequence);
    this.#observeTimes(sequence.times, { arrivalMicros: open.arrivalMicros, sequence });
    open.mostTokens = Math.max(open.mostTokens, completionTokens(sequence));
    if (--open.openSamples > 0) return;
    this.#open.delete(sequence.request);
    this.#counts.request_params_n.observe(sequence.request.n);
    this.#counts.request_max_num_generation_tokens.observe(open.mostTokens);
  }

  #firstToken({ request, cachedTokens, resumedTokens }: Sequence, nowMicros: number): void {
    const open = this.#open.get(request);
    const promptTokens = request.promptTokens.length;
    if (open !== undefined && resumedTokens === 0) {
      const seconds = (nowMicros - open.arrivalMicros) / 1e6;
      this.#seconds.time_to_first_token_seconds.observe(seconds);
      this.#fine.timeToFirstToken.observe(seconds);
    }
    this.#promptTokens += promptTokens;
    this.#cachedTokens += cachedTokens;
  }

  #observeCounts(sequence: Sequence): void {
    const { request, cachedTokens, preemptions } = sequence;
    const promptTokens = request.promptTokens.length;
    this.#counts.request_prompt_tokens.observe(promptTokens);
    this.#counts.request_generation_tokens.observe(completionTokens(sequence));
    this.#counts.request_params_max_tokens.observe(request.maxTokens);
    this.#counts.request_prefill_kv_computed_tokens.observe(promptTokens - cachedTokens);
    this.#counts.request_num_preemptions.observe(preemptions);
  }

  /** A sample that never ran has waited all its time; one without a token has no time per token. */
  #observeTimes(
    times: Readonly<RequestTimes>,
    of: { readonly arrivalMicros: number; readonly sequence: Sequence },
  ): void {
    const end = times.lastTokenMicros ?? hostMicros();
    const admitted = times.admittedMicros ?? end;
    const first = times.firstTokenMicros ?? end;
    const observe = (name: LatencyName, fromMicros: number, toMicros: number): void =>
      this.#seconds[name].observe((toMicros - fromMicros) / 1e6);
    this.#fine.endToEnd.observe((end - of.arrivalMicros) / 1e6);
    observe('e2e_request_latency_seconds', of.arrivalMicros, end);
    observe('request_queue_time_seconds', of.arrivalMicros, admitted);
    observe('request_prefill_time_seconds', admitted, first);
    observe('request_decode_time_seconds', first, end);
    observe('request_inference_time_seconds', admitted, end);
    const gaps = completionTokens(of.sequence) - of.sequence.resumedTokens - 1;
    if (gaps < 0) return;
    const secondsPerToken = gaps === 0 ? 0 : (end - first) / 1e6 / gaps;
    this.#seconds.request_time_per_output_token_seconds.observe(secondsPerToken);
  }

  #countTokens(registry: Registry): void {
    const count = (name: string, help: string, total: () => number): void =>
      registerTotal(registry, { name: `vllm:${name}_total`, help }, total);
    count('prompt_tokens', 'Number of prefill tokens processed.', () => this.#promptTokens);
    count('prompt_tokens_cached', 'Prompt tokens from the cache.', () => this.#cachedTokens);
    count('generation_tokens', 'Generation tokens processed.', () => this.#generatedTokens);
    const bySource = {
      name: 'vllm:prompt_tokens_by_source_total',
      help: 'Prompt tokens by source.',
      labelNames: ['source'],
    };
    registerReadCounter(registry, bySource, (it) => {
      it.inc({ source: 'local_compute' }, this.#promptTokens - this.#cachedTokens);
      it.inc({ source: 'local_cache_hit' }, this.#cachedTokens);
      it.inc({ source: 'external_kv_transfer' }, 0);
    });
  }

  #countEnds(registry: Registry): void {
    const counter = {
      name: 'vllm:request_success_total',
      help: 'Requests that ended.',
      labelNames: ['finished_reason'],
    };
    registerReadCounter(registry, counter, (it) => {
      for (const reason of END_REASONS) it.inc({ finished_reason: reason }, this.#ends[reason]);
    });
  }
}

function makeHistograms<Name extends string>(
  registry: Registry,
  described: Readonly<Record<Name, Described>>,
): Readonly<Record<Name, BucketCounts>> {
  const entries = Object.entries<Described>(described).map(([name, [help, bounds]]) => [
    name,
    new CountedHistogram(registry, { name: `vllm:${name}`, help, bounds }).child(),
  ]);
  return Object.fromEntries(entries) as Readonly<Record<Name, BucketCounts>>;
}

type Described = [help: string, buckets: number[]];

const LATENCIES = {
  time_to_first_token_seconds: ['Time to first token in seconds.', buckets.TTFT_SECONDS],
  request_time_per_output_token_seconds: [
    'Time per output token of a request in seconds.',
    buckets.TOKEN_LATENCY_SECONDS,
  ],
  e2e_request_latency_seconds: ['End-to-end latency in seconds.', buckets.REQUEST_LATENCY_SECONDS],
  request_queue_time_seconds: ['Time in WAITING.', buckets.REQUEST_LATENCY_SECONDS],
  request_inference_time_seconds: ['Time in RUNNING.', buckets.REQUEST_LATENCY_SECONDS],
  request_prefill_time_seconds: ['Time in PREFILL.', buckets.REQUEST_LATENCY_SECONDS],
  request_decode_time_seconds: ['Time in DECODE.', buckets.REQUEST_LATENCY_SECONDS],
} satisfies Record<string, Described>;
type LatencyName = keyof typeof LATENCIES;

/** Those without bounds have the lengths that the model can serve. */
const COUNTS = {
  request_prompt_tokens: ['Prefill tokens of a request.'],
  request_generation_tokens: ['Generation tokens of a request.'],
  request_max_num_generation_tokens: ['Most generation tokens of a request’s samples.'],
  request_params_max_tokens: ['The max_tokens of a request.'],
  request_params_n: ['The n of a request.', buckets.PARALLEL_SAMPLES],
  request_prefill_kv_computed_tokens: ['Prefill tokens that were computed, not cached.'],
  request_num_preemptions: ['Times that a request was preempted.', buckets.PREEMPTIONS],
} satisfies Record<string, [help: string, buckets?: number[]]>;
type CountName = keyof typeof COUNTS;
