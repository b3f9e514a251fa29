import type { ChipStatus, ClusterSnapshot } from '../../client/index.ts';
import { basisOf, powerLimitWatts, usedBytes } from './chip-figures.ts';

/** The object that `sohu smi --json` prints of an engine. */
export function snapshotObject(engine: ClusterSnapshot): object {
  const { load, rates } = engine;
  return {
    timestamp: new Date(engine.timestampMs).toISOString(),
    cluster: engine.cluster,
    engine: engine.engine,
    model: engine.modelName,
    precision: engine.precision,
    kv_cache_dtype: engine.kvCacheDtype,
    weights: engine.weights,
    tp: engine.tensorParallelSize,
    epoch: engine.epoch,
    state: engine.state,
    uptime_s: Math.floor(engine.uptimeMs / 1000),
    clocks: { step: 'host', utilization: `device: ${basisOf(engine.chips[0]?.name)}` },
    load: {
      waiting: load.waiting,
      running: load.running,
      kv_blocks: load.kvBlocks,
      kv_blocks_used: load.kvBlocksUsed,
      steps: load.steps,
      preemptions: load.preemptions,
    },
    rates: {
      window_s: rates.windowSeconds,
      steps_per_second: rates.stepsPerSecond,
      generated_tokens_per_second: rates.generatedTokensPerSecond,
      device_generated_tokens_per_second: rates.deviceGeneratedTokensPerSecond,
      step_ms: rates.stepMs,
      device_step_ms: rates.deviceStepMs,
    },
    chips: engine.chips.map(chipObject),
  };
}

function chipObject(chip: ChipStatus): object {
  return {
    index: chip.seat,
    rank: chip.rank,
    name: chip.name,
    uuid: chip.uuid,
    pid: chip.pid,
    state: chip.state,
    metrics_address: chip.metricsAddress || null,
    utilization: {
      chip: chip.busy,
      mfu: chip.mfu,
      memory: chip.hbmBandwidth,
      link: chip.linkBandwidth,
    },
    memory_bytes: {
      total: chip.hbmTotalBytes,
      used: usedBytes(chip),
      weights: chip.hbmWeightBytes,
      kv: chip.hbmKvBytes,
      kv_reserved: chip.hbmKvReservedBytes,
      activations: chip.hbmActivationBytes,
    },
    power_watts: { draw: chip.powerWatts, limit: powerLimitWatts(chip.name) ?? null },
    temperature: null,
    step: {
      count: chip.steps,
      compute_ms: chip.stepComputeMs,
      communication_ms: chip.stepCommunicationMs,
    },
    bytes_sent: chip.bytesSent,
    bytes_received: chip.bytesReceived,
    dropped_frames: chip.droppedFrames,
  };
}
