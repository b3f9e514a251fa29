import type { Registry } from 'prom-client';
import type { StepPrice } from '../../core/timing/step-price.ts';
import type { CountedStep } from '../telemetry/step-backlog.ts';
import { STEP_PHASES, type StepPhase } from '../telemetry/step-phase.ts';
import { DEVICE_STEP_BUCKETS_SECONDS, STEP_BUCKETS_SECONDS } from './buckets.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';
import { registerReadCounter, registerTotal } from './read-counter.ts';
import { oneTwoFive } from './vllm-buckets.ts';

/** One phase's part of all steps. */
interface Batches {
  readonly sequences: BucketCounts;
  readonly tokens: BucketCounts;
  totalTokens: number;
}

/** The series of a group's steps, in host and in device time. */
export class StepMetrics {
  readonly #hostSeconds: BucketCounts;
  readonly #deviceSeconds: BucketCounts;
  readonly #skewSeconds: BucketCounts;
  readonly #batches: Readonly<Record<StepPhase, Batches>>;
  #steps = 0;
  #failed = 0;
  #tokens = 0;
  #flops = 0;
  #hbmBytes = 0;
  #linkBytes = 0;
  #joules = 0;

  constructor(
    registry: Registry,
    limits: { readonly maxNumSeqs: number; readonly maxNumBatchedTokens: number },
  ) {
    this.#countSteps(registry);
    this.#hostSeconds = new CountedHistogram(registry, {
      name: 'sohu_step_duration_seconds',
      help: 'Host time from a step command to the last report on it.',
      bounds: STEP_BUCKETS_SECONDS,
    }).child();
    this.#deviceSeconds = new CountedHistogram(registry, {
      name: 'sohu_step_device_seconds',
      help: 'Device time of a step: what the modelled chips would have taken.',
      bounds: DEVICE_STEP_BUCKETS_SECONDS,
    }).child();
    this.#skewSeconds = new CountedHistogram(registry, {
      name: 'sohu_step_skew_seconds',
      help: 'Host time between the first and the last chip’s report on a step.',
      bounds: DEVICE_STEP_BUCKETS_SECONDS,
    }).child();
    this.#batches = makeBatches(registry, limits);
    this.#countDevice(registry);
  }

  failed(): void {
    this.#failed++;
  }

  completed(step: CountedStep): void {
    const { tokens, sequences, prefills, prefillTokens, price } = step;
    this.#steps++;
    this.#tokens += tokens;
    this.#hostSeconds.observe(step.durationMicros / 1e6);
    this.#skewSeconds.observe(step.skewMicros / 1e6);
    observeBatch(this.#batches.prefill, prefills, prefillTokens);
    observeBatch(this.#batches.decode, sequences - prefills, tokens - prefillTokens);
    if (price !== undefined) this.#observePrice(price);
  }

  #observePrice({ seconds, flops, memoryBytes, linkBytes, energyJoules }: StepPrice): void {
    this.#deviceSeconds.observe(seconds);
    this.#flops += flops;
    this.#hbmBytes += memoryBytes;
    this.#linkBytes += linkBytes;
    this.#joules += (energyJoules.low + energyJoules.high) / 2;
  }

  #countSteps(registry: Registry): void {
    const count = counting(registry);
    count('sohu_steps_total', 'Steps completed by the group.', () => this.#steps);
    count('sohu_failed_steps_total', 'Steps given up, to be computed anew.', () => this.#failed);
    count(
      'sohu_tokens_total',
      'Tokens whose rows the group computed, prompt and generated.',
      () => this.#tokens,
    );
  }

  #countDevice(registry: Registry): void {
    const count = counting(registry);
    const modelled = 'one modelled chip in all steps.';
    count('sohu_device_flops_total', `FLOPs of ${modelled}`, () => this.#flops);
    count('sohu_device_hbm_bytes_total', `HBM traffic of ${modelled}`, () => this.#hbmBytes);
    count('sohu_device_link_bytes_total', `Bytes sent by ${modelled}`, () => this.#linkBytes);
    count(
      'sohu_device_energy_joules_total',
      'Energy of all modelled chips in all steps: the middle of what it may be.',
      () => this.#joules,
    );
  }
}

function observeBatch(batches: Batches, sequences: number, tokens: number): void {
  batches.sequences.observe(sequences);
  batches.tokens.observe(tokens);
  batches.totalTokens += tokens;
}

function makeBatches(
  registry: Registry,
  limits: { readonly maxNumSeqs: number; readonly maxNumBatchedTokens: number },
): Readonly<Record<StepPhase, Batches>> {
  const sequences = new CountedHistogram(registry, {
    name: 'sohu_batch_sequences',
    help: 'Sequences of a step, by phase.',
    bounds: [0, ...oneTwoFive(limits.maxNumSeqs)],
  });
  const tokens = new CountedHistogram(registry, {
    name: 'sohu_batch_tokens',
    help: 'Tokens of a step, by phase.',
    bounds: [0, ...oneTwoFive(limits.maxNumBatchedTokens)],
  });
  const batches = Object.fromEntries(
    STEP_PHASES.map((phase) => {
      const children = { sequences: sequences.child({ phase }), tokens: tokens.child({ phase }) };
      return [phase, { ...children, totalTokens: 0 }];
    }),
  ) as Readonly<Record<StepPhase, Batches>>;
  const counter = {
    name: 'sohu_phase_tokens_total',
    help: 'Tokens computed, by phase.',
    labelNames: ['phase'],
  };
  registerReadCounter(registry, counter, (it) => {
    for (const phase of STEP_PHASES) it.inc({ phase }, batches[phase].totalTokens);
  });
  return batches;
}

function counting(registry: Registry) {
  return (name: string, help: string, total: () => number): void =>
    registerTotal(registry, { name, help }, total);
}
