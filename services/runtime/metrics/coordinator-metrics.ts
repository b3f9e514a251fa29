import { Registry } from 'prom-client';
import type { Coordinator } from '../../cluster/coordinator.ts';
import type { Sequence } from '../../core/scheduler/request.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import type { ChipStatus, EndReason } from '../../rpc/telemetry-types.ts';
import type { CountedStep } from '../telemetry/step-backlog.ts';
import { BaselineMetrics } from './baseline-metrics.ts';
import { registerBrokerMetrics } from './broker-metrics.ts';
import { DcgmMetrics } from './dcgm-metrics.ts';
import { expositionOf, processRegistry } from './exposition.ts';
import { registerGroupMetrics } from './group-metrics.ts';
import { LatencyMetrics } from './latency-metrics.ts';
import { registerPaceMetrics } from './pace-metrics.ts';
import { registerTotal } from './read-counter.ts';
import { StepMetrics } from './step-metrics.ts';
import { TokenGaps } from './token-gaps.ts';
import { type CacheConfig, VllmEngineMetrics } from './vllm-engine-metrics.ts';
import { VllmRequestMetrics } from './vllm-request-metrics.ts';

export interface CoordinatorMetricsOptions {
  readonly engine: string;
  readonly modelName: string;
  readonly coordinator: Coordinator;
  readonly chips: () => readonly ChipStatus[];
  /** Has all steps counted that wait for it; called before a reading. */
  readonly catchUp: () => void;
  readonly cache: CacheConfig;
  readonly limits: {
    readonly maxModelLen: number;
    readonly maxNumSeqs: number;
    readonly maxNumBatchedTokens: number;
  };
  /** What prices the same steps on other chips, by their names. */
  readonly baselines: ReadonlyMap<string, StepPricer>;
  /** Where the monitoring pages of the brokers are that are shown. */
  readonly brokerMonitoringUrls: readonly string[];
}

/**
 * The series of a coordinator process: its group as a whole. Those of vLLM are apart: the gateway
 * shows them, and whoever scrapes both must not find them twice.
 */
export class CoordinatorMetrics {
  readonly #own: readonly Registry[];
  readonly #vllm = new Registry();
  readonly #steps: StepMetrics;
  readonly #baselines: BaselineMetrics;
  readonly #requests: VllmRequestMetrics;
  readonly #engine: VllmEngineMetrics;
  readonly #dcgm: DcgmMetrics;
  readonly #catchUp: () => void;

  constructor(options: CoordinatorMetricsOptions) {
    const { engine, modelName, coordinator, chips, limits, brokerMonitoringUrls } = options;
    this.#catchUp = options.catchUp;
    const group = new Registry();
    for (const registry of [group, this.#vllm]) {
      registry.setDefaultLabels({ model_name: modelName, engine });
    }
    this.#dcgm = new DcgmMetrics(chips);
    this.#own = [group, this.#dcgm.registry, processRegistry()];
    this.#steps = new StepMetrics(group, limits);
    this.#baselines = new BaselineMetrics(group, options.baselines);
    const generated = { name: 'sohu_generated_tokens_total', help: 'Tokens drawn and delivered.' };
    registerTotal(group, generated, () => this.#requests.generatedTokens);
    registerGroupMetrics(group, { coordinator, chips });
    registerPaceMetrics(group, coordinator);
    if (brokerMonitoringUrls.length > 0) registerBrokerMetrics(group, brokerMonitoringUrls);
    const { maxModelLen } = limits;
    this.#requests = new VllmRequestMetrics(this.#vllm, {
      maxModelLen,
      fine: new LatencyMetrics(group),
      gaps: new TokenGaps({ own: group, vllm: this.#vllm }),
    });
    this.#engine = new VllmEngineMetrics(this.#vllm, coordinator, options.cache);
  }

  /** Takes the token that a sample has gained. */
  token(sequence: Sequence): void {
    this.#requests.token(sequence);
  }

  stepCompleted(step: CountedStep): void {
    this.#steps.completed(step);
    this.#baselines.completed(step);
    this.#engine.stepCompleted(step.tokens);
    this.#dcgm.sent(step.price?.linkBytes ?? 0);
  }

  stepFailed(): void {
    this.#steps.failed();
  }

  /** Takes in the samples of a request that came at that moment. */
  arrived(sequences: readonly Sequence[], arrivalMicros: number): void {
    this.#requests.arrived(sequences, arrivalMicros);
  }

  /** Takes the end of a sample, as its client hears of it. */
  ended(sequence: Sequence, reason: EndReason): void {
    this.#requests.ended(sequence, reason);
  }

  /** What the process shows by itself: all but the series of vLLM. */
  text(): Promise<string> {
    this.#catchUp();
    return expositionOf(this.#own);
  }

  /** All series whose names begin with a prefix. */
  allText(prefix: string): Promise<string> {
    this.#catchUp();
    return expositionOf([...this.#own, this.#vllm], prefix);
  }
}
