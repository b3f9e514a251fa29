import type { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { Chip } from '../../core/hardware/chip.ts';
import type { KvFormat } from '../../core/model/precision.ts';
import type { Sequence } from '../../core/scheduler/request.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import type { EndReason } from '../../rpc/telemetry-types.ts';
import type { RequestObserver } from '../coordinator/cluster-engine.ts';
import { CoordinatorMetrics } from '../metrics/coordinator-metrics.ts';
import type { ResolvedServing } from '../options/resolve-serving.ts';
import { ClusterTelemetry } from './cluster-telemetry.ts';
import { StepBacklog } from './step-backlog.ts';

export interface EngineMonitorOptions {
  readonly cluster: string;
  readonly group: string;
  readonly modelName: string;
  /** Most tokens of a prompt and its continuation. */
  readonly maxModelLen: number;
  readonly serving: Pick<
    ResolvedServing,
    | 'phantom'
    | 'precision'
    | 'tp'
    | 'maxNumSeqs'
    | 'maxNumBatchedTokens'
    | 'blockSize'
    | 'enablePrefixCaching'
    | 'numGpuBlocksOverride'
  >;
  /** Of the keys and values that are cached, or modelled. */
  readonly kvFormat: KvFormat;
  readonly coordinator: Coordinator;
  /** The modelled chip. */
  readonly chip: Chip;
  /** What prices the same steps on other chips, by their names. */
  readonly baselines: ReadonlyMap<string, StepPricer>;
  /** Where the brokers' monitoring pages are; with none, nothing is shown of them. */
  readonly brokerMonitoringUrls: readonly string[];
}

/** Counts and describes what one engine does, for Prometheus and for those who call Telemetry. */
export class EngineMonitor implements RequestObserver {
  readonly metrics: CoordinatorMetrics;
  readonly telemetry: ClusterTelemetry;
  readonly #backlog = new StepBacklog((step) => {
    this.metrics.stepCompleted(step);
    this.telemetry.count(step);
  });

  constructor(options: EngineMonitorOptions) {
    const { group, modelName, serving, kvFormat, maxModelLen, coordinator } = options;
    const { baselines, brokerMonitoringUrls } = options;
    const { maxNumSeqs, maxNumBatchedTokens } = serving;
    const catchUp = (): void => this.#backlog.catchUp();
    this.telemetry = new ClusterTelemetry({
      ...options,
      catchUp,
      metricsText: (prefix) => this.metrics.allText(prefix),
    });
    this.metrics = new CoordinatorMetrics({
      engine: group,
      modelName,
      coordinator,
      chips: () => this.telemetry.chips(),
      catchUp,
      cache: { ...serving, cacheDtype: kvFormat },
      limits: { maxModelLen, maxNumSeqs, maxNumBatchedTokens },
      baselines,
      brokerMonitoringUrls,
    });
  }

  /** Takes what happened in the group, before those do who serve its clients. */
  observe(event: CoordinatorEvent): void {
    if (event.kind === 'token') this.metrics.token(event.sequence);
    else if (event.kind === 'stepCompleted') {
      this.#backlog.add(event);
      this.telemetry.stepCompleted(event);
    } else if (event.kind === 'stepFailed') this.metrics.stepFailed();
    else if (event.kind === 'ready') this.telemetry.ready(event.kvBlocks);
  }

  arrived(sequences: readonly Sequence[], arrivalMicros: number): void {
    this.metrics.arrived(sequences, arrivalMicros);
  }

  ended(sequence: Sequence, reason: EndReason): void {
    this.metrics.ended(sequence, reason);
    this.telemetry.ended(sequence, reason);
  }
}
