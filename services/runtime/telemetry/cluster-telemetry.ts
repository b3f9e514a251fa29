import type { Coordinator } from '../../cluster/coordinator.ts';
import type { StepCompleted } from '../../cluster/coordinator-effects.ts';
import type { Chip } from '../../core/hardware/chip.ts';
import type { KvFormat } from '../../core/model/precision.ts';
import type { Sequence } from '../../core/scheduler/request.ts';
import type { TelemetrySource } from '../../rpc/telemetry-service.ts';
import type {
  ChipStatus,
  ClusterSnapshot,
  EndReason,
  EngineState,
  MetricsText,
  StepRecord,
} from '../../rpc/telemetry-types.ts';
import type { ResolvedServing } from '../options/resolve-serving.ts';
import { hostMicros } from '../support/host-clock.ts';
import { describeChip, describeLoad, describeRates } from './describe-cluster.ts';
import type { CountedStep } from './step-backlog.ts';
import { type StepContext, StepFeed } from './step-feed.ts';
import { StepWindow } from './step-window.ts';

export interface ClusterTelemetryOptions {
  readonly cluster: string;
  readonly group: string;
  readonly modelName: string;
  readonly serving: Pick<
    ResolvedServing,
    'precision' | 'tp' | 'maxNumSeqs' | 'blockSize' | 'phantom'
  >;
  readonly kvFormat: KvFormat;
  readonly coordinator: Coordinator;
  /** The modelled chip. */
  readonly chip: Chip;
  /** Has all steps counted that wait for it; called before a reading. */
  readonly catchUp: () => void;
  /** The engine's series as text, those whose names begin with the prefix. */
  readonly metricsText: (prefix: string) => Promise<string>;
}

/** What an engine tells those who watch it. */
export class ClusterTelemetry implements TelemetrySource {
  readonly #options: ClusterTelemetryOptions;
  readonly #startMicros = hostMicros();
  readonly #window = new StepWindow(this.#startMicros);
  readonly #feed: StepFeed;
  #kvBlocks = 0;
  #steps = 0;
  #deviceSeconds = 0;
  #preemptions = 0;

  constructor(options: ClusterTelemetryOptions) {
    this.#options = options;
    this.#feed = new StepFeed((isWanted) => {
      options.coordinator.traceSteps = isWanted;
    });
  }

  /** The chips have so many blocks. */
  ready(kvBlocks: number): void {
    this.#kvBlocks = kvBlocks;
  }

  /** Tells those who watch of a step. */
  stepCompleted(event: StepCompleted): void {
    const preemptions = this.#options.coordinator.scheduler?.stats.preemptions ?? 0;
    this.#feed.publish(event, () =>
      this.#contextOf(preemptions - this.#preemptions, this.#deviceSeconds),
    );
    this.#preemptions = preemptions;
    this.#deviceSeconds += event.price?.seconds ?? 0;
  }

  /** Takes a step in that may have ended a while ago. */
  count(step: CountedStep): void {
    this.#steps++;
    this.#window.add(step);
  }

  /** Takes the end of a sample, as its client hears of it. */
  ended(sequence: Sequence, reason: EndReason): void {
    this.#feed.ended(sequence, reason);
  }

  async metrics(prefix: string): Promise<MetricsText> {
    return { text: await this.#options.metricsText(prefix), engine: this.#options.group };
  }

  snapshot(): ClusterSnapshot {
    const { cluster, group, modelName, serving, kvFormat, coordinator, catchUp } = this.#options;
    catchUp();
    const { precision, maxNumSeqs, blockSize } = serving;
    const now = hostMicros();
    const limits = { maxNumSeqs, blockSize, kvBlocks: this.#kvBlocks };
    return {
      timestampMs: now / 1000,
      uptimeMs: (now - this.#startMicros) / 1000,
      cluster,
      engine: group,
      modelName,
      precision,
      kvCacheDtype: kvFormat,
      weights: serving.phantom === undefined ? 'real' : 'phantom',
      tensorParallelSize: serving.tp,
      epoch: coordinator.epoch,
      state: this.#state(),
      load: describeLoad(coordinator, limits, this.#steps),
      rates: describeRates(this.#window.means(now)),
      chips: this.chips(),
    };
  }

  /** The chips by rank, now. */
  chips(): readonly ChipStatus[] {
    const { cluster, group, coordinator, chip, catchUp } = this.#options;
    catchUp();
    const { members } = coordinator;
    const means = this.#window.means(hostMicros());
    return members.map((member) =>
      describeChip(member, {
        chip,
        place: { cluster, group },
        means,
        chips: members.length,
        usedBlocks: coordinator.scheduler?.usedBlocks ?? 0,
        reports: coordinator.lastReportsOf(member.rank),
      }),
    );
  }

  watch(options: { readonly detail: boolean }, signal: AbortSignal): AsyncIterable<StepRecord> {
    return this.#feed.watch(options, signal);
  }

  #contextOf(preemptions: number, deviceBeganSeconds: number): StepContext {
    const { coordinator } = this.#options;
    const { runningCount = 0, waitingCount = 0, usedBlocks = 0 } = coordinator.scheduler ?? {};
    return {
      running: runningCount,
      waiting: waitingCount,
      kvBlocksUsed: usedBlocks,
      kvBlocks: this.#kvBlocks,
      preemptions,
      deviceBeganSeconds,
    };
  }

  #state(): EngineState {
    const { coordinator } = this.#options;
    if (coordinator.scheduler === undefined) return 'loading';
    return coordinator.ready ? 'serving' : 'recovering';
  }
}
