import type { StepTimes } from '../cluster/step-times.ts';

/** An engine's series in Prometheus' text format. */
export interface MetricsText {
  readonly text: string;
  readonly engine: string;
}

/** How far an engine serves: `recovering` is between two epochs. */
export type EngineState = 'loading' | 'serving' | 'recovering';

/** An engine at a glance; times and shares as the .proto file says. */
export interface ClusterSnapshot {
  readonly timestampMs: number;
  readonly uptimeMs: number;
  readonly cluster: string;
  readonly engine: string;
  readonly modelName: string;
  readonly precision: string;
  readonly kvCacheDtype: string;
  readonly weights: 'real' | 'phantom';
  readonly tensorParallelSize: number;
  readonly epoch: number;
  readonly state: EngineState;
  readonly load: EngineLoad;
  readonly rates: EngineRates;
  readonly chips: readonly ChipStatus[];
}

export interface EngineLoad {
  readonly waiting: number;
  readonly running: number;
  readonly maxNumSeqs: number;
  readonly kvBlocks: number;
  readonly kvBlocksUsed: number;
  readonly blockSize: number;
  readonly steps: number;
  readonly preemptions: number;
  readonly prefixCacheQueries: number;
  readonly prefixCacheHits: number;
}

export interface EngineRates {
  readonly windowSeconds: number;
  readonly busy: number;
  readonly stepsPerSecond: number;
  readonly promptTokensPerSecond: number;
  readonly generatedTokensPerSecond: number;
  readonly devicePromptTokensPerSecond: number;
  readonly deviceGeneratedTokensPerSecond: number;
  readonly stepMs: number;
  readonly deviceStepMs: number;
}

export interface ChipStatus {
  readonly seat: number;
  readonly rank: number;
  readonly name: string;
  readonly uuid: string;
  readonly pid: number;
  readonly metricsAddress: string;
  readonly state: 'ready' | 'joining';
  readonly busy: number;
  readonly mfu: number;
  readonly hbmBandwidth: number;
  readonly linkBandwidth: number;
  readonly powerWatts: number;
  readonly hbmWeightBytes: number;
  readonly hbmKvBytes: number;
  readonly hbmKvReservedBytes: number;
  readonly hbmActivationBytes: number;
  readonly hbmTotalBytes: number;
  readonly stepComputeMs: number;
  readonly stepCommunicationMs: number;
  readonly steps: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly droppedFrames: number;
}

/** What one step did. */
export interface StepRecord {
  readonly step: number;
  readonly epoch: number;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly skewMs: number;
  readonly deviceSeconds: number;
  readonly deviceBeganSeconds: number;
  readonly mfu: number;
  readonly hbmBandwidth: number;
  readonly linkBandwidth: number;
  readonly binds: string;
  readonly sequences: readonly SequenceStep[];
  readonly running: number;
  readonly waiting: number;
  readonly kvBlocksUsed: number;
  readonly kvBlocks: number;
  readonly preemptions: number;
  readonly ended: readonly EndedSample[];
  /** By rank; empty where no detail is asked for. */
  readonly chips: readonly StepTimes[];
  /** Records before this one that the watcher did not get. */
  readonly lost: number;
}

export interface SequenceStep {
  readonly requestId: string;
  readonly index: number;
  readonly tokens: number;
  readonly start: number;
  readonly phase: 'prefill' | 'decode';
  readonly sampled: boolean;
}

/** Why a sample is over: by itself, by its client or with its engine. */
export type EndReason = 'stop' | 'length' | 'abort' | 'error';

export interface EndedSample {
  readonly requestId: string;
  readonly index: number;
  readonly reason: EndReason;
  readonly arrivedMs: number;
  readonly queueMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  readonly preemptions: number;
}
