import type {
  ChipStatus,
  ClusterSnapshot,
  EndedSample,
  SequenceStep,
  StepRecord,
} from '../../services/client/index.ts';

/** Figures that differ from each other, so that one in the place of another is seen. */
export function makeChip(rank: number): ChipStatus {
  return {
    ...{ seat: rank, rank, name: 'Etched Sohu', uuid: `GPU-${rank}`, pid: 100 + rank },
    metricsAddress: '127.0.0.1:1',
    state: rank === 0 ? 'ready' : 'joining',
    ...{ busy: 0.5, mfu: 0.125, hbmBandwidth: 0.25, linkBandwidth: 0.0625, powerWatts: 1 },
    hbmWeightBytes: 36e9,
    hbmKvBytes: 18e9,
    hbmKvReservedBytes: 72e9,
    hbmActivationBytes: 9e9,
    hbmTotalBytes: 144e9,
    stepComputeMs: 3,
    stepCommunicationMs: 1,
    steps: 7,
    bytesSent: 1,
    bytesReceived: 1,
    droppedFrames: 5 + rank,
  };
}

export function makeSnapshot(changes: Partial<ClusterSnapshot> = {}): ClusterSnapshot {
  return {
    timestampMs: Date.now(),
    uptimeMs: 65_000,
    ...{ cluster: 'sohu', engine: 'north', modelName: 'tinystories-5m', precision: 'fp8' },
    ...{ kvCacheDtype: 'bf16', weights: 'real', tensorParallelSize: 2, epoch: 3, state: 'serving' },
    load: {
      ...{ waiting: 2, running: 3, maxNumSeqs: 64, kvBlocks: 400, kvBlocksUsed: 100 },
      ...{ blockSize: 16, steps: 9, preemptions: 11, prefixCacheQueries: 200, prefixCacheHits: 50 },
    },
    rates: {
      ...{ windowSeconds: 2, busy: 0.5, stepsPerSecond: 21.5, promptTokensPerSecond: 33.25 },
      generatedTokensPerSecond: 1234,
      devicePromptTokensPerSecond: 55_500,
      deviceGeneratedTokensPerSecond: 777_000,
      ...{ stepMs: 46.5, deviceStepMs: 0.118 },
    },
    chips: [makeChip(0), makeChip(1)],
    ...changes,
  };
}

export function makePart(requestId: string, changes: Partial<SequenceStep> = {}): SequenceStep {
  return {
    ...{ requestId, index: 0, tokens: 1, start: 20, phase: 'decode', sampled: true },
    ...changes,
  };
}

export function makeStep(step: number, changes: Partial<StepRecord> = {}): StepRecord {
  const endedMs = Date.now();
  return {
    ...{ step, epoch: 3, beganMs: endedMs - 20, endedMs, skewMs: 1, deviceSeconds: 118e-6 },
    ...{ deviceBeganSeconds: 0, mfu: 0.1, hbmBandwidth: 0.1, linkBandwidth: 0.1, binds: 'memory' },
    ...{ sequences: [], running: 0, waiting: 0, kvBlocksUsed: 0, kvBlocks: 400, preemptions: 0 },
    ...{ ended: [], chips: [], lost: 0 },
    ...changes,
  };
}

export function makeEnd(requestId: string, changes: Partial<EndedSample> = {}): EndedSample {
  return {
    ...{ requestId, index: 0, reason: 'stop', arrivedMs: Date.now() - 1000, queueMs: 100 },
    ...{ prefillMs: 200, decodeMs: 300, promptTokens: 12, cachedTokens: 4, generatedTokens: 9 },
    preemptions: 0,
    ...changes,
  };
}
