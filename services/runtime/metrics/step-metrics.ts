import { Counter, Histogram, type Registry } from 'prom-client';
import type { StepCompleted } from '../../cluster/coordinator-effects.ts';
import type { StepPrice } from '../../core/timing/step-price.ts';
import { phaseOf, STEP_PHASES, type StepPhase } from '../telemetry/step-phase.ts';
import { DEVICE_STEP_BUCKETS_SECONDS, STEP_BUCKETS_SECONDS } from './buckets.ts';
import { oneTwoFive } from './vllm-buckets.ts';

type Children<Child> = Readonly<Record<StepPhase, Child>>;

/** The series of a group's steps, in host and in device time. */
export class StepMetrics {
  readonly #registers: Registry[];
  readonly #steps: Counter;
  readonly #failed: Counter;
  readonly #tokens: Counter;
  readonly #hostSeconds: Histogram;
  readonly #deviceSeconds: Histogram;
  readonly #skewSeconds: Histogram;
  readonly #batchSequences: Children<Histogram.Internal<string>>;
  readonly #batchTokens: Children<Histogram.Internal<string>>;
  readonly #phaseTokens: Children<Counter.Internal>;
  readonly #flops: Counter;
  readonly #hbmBytes: Counter;
  readonly #linkBytes: Counter;
  readonly #joules: Counter;

  constructor(
    registry: Registry,
    limits: { readonly maxNumSeqs: number; readonly maxNumBatchedTokens: number },
  ) {
    this.#registers = [registry];
    this.#steps = this.#counter('sohu_steps_total', 'Steps completed by the group.');
    this.#failed = this.#counter('sohu_failed_steps_total', 'Steps given up, to be computed anew.');
    this.#tokens = this.#counter(
      'sohu_tokens_total',
      'Tokens whose rows the group computed, prompt and generated.',
    );
    this.#hostSeconds = this.#histogram(
      'sohu_step_duration_seconds',
      'Host time from a step command to the last report on it.',
      STEP_BUCKETS_SECONDS,
    );
    this.#deviceSeconds = this.#histogram(
      'sohu_step_device_seconds',
      'Device time of a step: what the modelled chips would have taken.',
      DEVICE_STEP_BUCKETS_SECONDS,
    );
    this.#skewSeconds = this.#histogram(
      'sohu_step_skew_seconds',
      'Host time between the first and the last chip’s report on a step.',
      DEVICE_STEP_BUCKETS_SECONDS,
    );
    this.#batchSequences = this.#byPhase('sohu_batch_sequences', 'Sequences of a step, by phase.', [
      0,
      ...oneTwoFive(limits.maxNumSeqs),
    ]);
    this.#batchTokens = this.#byPhase('sohu_batch_tokens', 'Tokens of a step, by phase.', [
      0,
      ...oneTwoFive(limits.maxNumBatchedTokens),
    ]);
    const ofPhase = this.#counter('sohu_phase_tokens_total', 'Tokens computed, by phase.', 'phase');
    this.#phaseTokens = childrenOf((phase) => ofPhase.labels({ phase }));
    for (const child of Object.values(this.#phaseTokens)) child.inc(0);
    const modelled = 'one modelled chip in all steps.';
    this.#flops = this.#counter('sohu_device_flops_total', `FLOPs of ${modelled}`);
    this.#hbmBytes = this.#counter('sohu_device_hbm_bytes_total', `HBM traffic of ${modelled}`);
    this.#linkBytes = this.#counter('sohu_device_link_bytes_total', `Bytes sent by ${modelled}`);
    this.#joules = this.#counter(
      'sohu_device_energy_joules_total',
      'Energy of all modelled chips in all steps; the middle of what the data sheet allows.',
    );
  }

  failed(): void {
    this.#failed.inc();
  }

  completed({ tokens, parts, durationMicros, skewMicros, price }: StepCompleted): void {
    this.#steps.inc();
    this.#tokens.inc(tokens);
    this.#hostSeconds.observe(durationMicros / 1e6);
    this.#skewSeconds.observe(skewMicros / 1e6);
    let prefills = 0;
    let prefillTokens = 0;
    for (const part of parts) {
      if (phaseOf(part) === 'decode') continue;
      prefills++;
      prefillTokens += part.count;
    }
    this.#observeBatch('prefill', prefills, prefillTokens);
    this.#observeBatch('decode', parts.length - prefills, tokens - prefillTokens);
    if (price !== undefined) this.#observePrice(price);
  }

  #observeBatch(phase: StepPhase, sequences: number, tokens: number): void {
    this.#batchSequences[phase].observe(sequences);
    this.#batchTokens[phase].observe(tokens);
    this.#phaseTokens[phase].inc(tokens);
  }

  #observePrice({ seconds, flops, memoryBytes, linkBytes, energyJoules }: StepPrice): void {
    this.#deviceSeconds.observe(seconds);
    this.#flops.inc(flops);
    this.#hbmBytes.inc(memoryBytes);
    this.#linkBytes.inc(linkBytes);
    this.#joules.inc((energyJoules.low + energyJoules.high) / 2);
  }

  #counter(name: string, help: string, label?: string): Counter {
    const labelNames = label === undefined ? [] : [label];
    return new Counter({ name, help, labelNames, registers: this.#registers });
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
    return new Histogram({ name, help, buckets, labelNames, registers: this.#registers });
  }

  #byPhase(name: string, help: string, buckets: number[]): Children<Histogram.Internal<string>> {
    const histogram = this.#histogram(name, help, buckets, ['phase']);
    return childrenOf((phase) => histogram.labels({ phase }));
  }
}

function childrenOf<Child>(make: (phase: StepPhase) => Child): Children<Child> {
  const entries = STEP_PHASES.map((phase) => [phase, make(phase)]);
  return Object.fromEntries(entries) as Children<Child>;
}
