import type { ChipStatus, ClusterSnapshot } from '../../services/client/index.ts';

/** A chip that works, as telemetry tells of it. */
export function makeChipStatus(seat: number, fields: Partial<ChipStatus> = {}): ChipStatus {
  return {
    ...{
      seat,
      rank: seat,
      name: 'Etched Sohu',
      uuid: `GPU-00000000-0000-0000-0000-00000000000${seat}`,
    },
    ...{ pid: 24_851 + seat, metricsAddress: `127.0.0.1:${38_697 + seat}`, state: 'ready' },
    ...{
      busy: 0.98,
      mfu: 0.4213,
      hbmBandwidth: 0.0712,
      linkBandwidth: 0.000_31,
      powerWatts: 734.6,
    },
    ...{ hbmWeightBytes: 71_000_000_000, hbmKvBytes: 12_000_000_000 },
    ...{ hbmKvReservedBytes: 48_000_000_000, hbmActivationBytes: 9_000_000_000 },
    ...{ hbmTotalBytes: 144_000_000_000, stepComputeMs: 2.5, stepCommunicationMs: 0.52 },
    ...{ steps: 9_000, bytesSent: 1e9, bytesReceived: 2e9, droppedFrames: 3 },
    ...fields,
  };
}

/** An engine with two chips that serves. */
export function makeClusterSnapshot(fields: Partial<ClusterSnapshot> = {}): ClusterSnapshot {
  return {
    ...{ timestampMs: Date.UTC(2026, 10, 26, 6, 47, 8, 285), uptimeMs: 185_000 },
    ...{ cluster: 'sohu', engine: '0', modelName: 'llama-3-70b', precision: 'fp8' },
    ...{
      kvCacheDtype: 'bf16',
      weights: 'phantom',
      tensorParallelSize: 2,
      epoch: 4,
      state: 'serving',
    },
    load: {
      ...{ waiting: 3, running: 2, maxNumSeqs: 256, kvBlocks: 5_461, kvBlocksUsed: 1_365 },
      ...{ blockSize: 16, steps: 9_000, preemptions: 7 },
      ...{ prefixCacheQueries: 100, prefixCacheHits: 40 },
    },
    rates: {
      ...{ windowSeconds: 2, busy: 0.98, stepsPerSecond: 330, promptTokensPerSecond: 1_240 },
      ...{ generatedTokensPerSecond: 312, devicePromptTokensPerSecond: 2_100_000 },
      ...{ deviceGeneratedTokensPerSecond: 695_000, stepMs: 3.02, deviceStepMs: 0.001_44 },
    },
    chips: [makeChipStatus(0), makeChipStatus(1, { rank: 1, state: 'joining', steps: 0 })],
    ...fields,
  };
}
