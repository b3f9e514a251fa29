import { hostname } from 'node:os';
import { type Counter, Registry } from 'prom-client';
import type { ChipStatus } from '../../rpc/telemetry-types.ts';
import { hostMicros } from '../support/host-clock.ts';
import { type ChipGauge, registerChipGauge } from './group-metrics.ts';
import { registerReadCounter } from './read-counter.ts';

const LABEL_NAMES = ['gpu', 'UUID', 'device', 'modelName', 'hostname'] as const;
const BYTES_PER_MIB = 2 ** 20;
const PERCENT = 100;

const GAUGES: readonly ChipGauge[] = [
  ['DCGM_FI_DEV_GPU_UTIL', 'GPU utilization (in %).', (it) => PERCENT * it.busy],
  ['DCGM_FI_DEV_MEM_COPY_UTIL', 'Memory utilization (in %).', (it) => PERCENT * it.hbmBandwidth],
  [
    'DCGM_FI_DEV_FB_USED',
    'Framebuffer memory used (in MiB).',
    (it) => usedBytes(it) / BYTES_PER_MIB,
  ],
  [
    'DCGM_FI_DEV_FB_FREE',
    'Framebuffer memory free (in MiB).',
    (it) => (it.hbmTotalBytes - usedBytes(it)) / BYTES_PER_MIB,
  ],
  ['DCGM_FI_DEV_POWER_USAGE', 'Power draw (in W).', (it) => it.powerWatts],
  ['DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'Ratio of time the engine is active.', (it) => it.busy],
  ['DCGM_FI_PROF_PIPE_TENSOR_ACTIVE', 'Ratio of cycles the tensor pipe is active.', (it) => it.mfu],
  ['DCGM_FI_PROF_DRAM_ACTIVE', 'Ratio of cycles the memory moves data.', (it) => it.hbmBandwidth],
];

/**
 * The modelled chips as NVIDIA's DCGM exporter would show them, for boards and autoscalers that
 * know nothing else. What is not modelled, such as clocks and temperatures, is not there.
 */
export class DcgmMetrics {
  readonly registry = new Registry();
  /** Of one chip: all of a group send the same. */
  #linkBytes = 0;
  readonly #energyMillijoules = new Map<string, number>();
  #energyMicros = hostMicros();

  constructor(chips: () => readonly ChipStatus[]) {
    const host = hostname();
    const labelsOf = ({ seat, uuid, name }: ChipStatus) => ({
      gpu: String(seat),
      UUID: uuid,
      device: `sohu${seat}`,
      modelName: name,
      hostname: host,
    });
    for (const gauge of GAUGES) {
      registerChipGauge(this.registry, gauge, { chips, labelsOf, labelNames: LABEL_NAMES });
    }
    this.#counter('DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL', 'Link traffic (in MB).', (counter) => {
      for (const chip of chips()) counter.inc(labelsOf(chip), this.#linkBytes / 1e6);
    });
    const help = 'Energy since boot (in mJ).';
    this.#counter('DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION', help, (counter) => {
      this.#integrateEnergy(chips());
      for (const chip of chips()) {
        counter.inc(labelsOf(chip), this.#energyMillijoules.get(chip.uuid) ?? 0);
      }
    });
  }

  /** Takes what one chip sent over its links in a step. */
  sent(bytes: number): void {
    this.#linkBytes += bytes;
  }

  /** The draw now stands for the time since somebody last asked. */
  #integrateEnergy(chips: readonly ChipStatus[]): void {
    const now = hostMicros();
    const milliseconds = (now - this.#energyMicros) / 1000;
    this.#energyMicros = now;
    for (const { uuid, powerWatts } of chips) {
      const before = this.#energyMillijoules.get(uuid) ?? 0;
      this.#energyMillijoules.set(uuid, before + powerWatts * milliseconds);
    }
  }

  #counter(name: string, help: string, read: (counter: Counter) => void): void {
    registerReadCounter(this.registry, { name, help, labelNames: LABEL_NAMES }, read);
  }
}

/** All KV blocks are taken at the start, as engines on GPUs do. */
function usedBytes({ hbmWeightBytes, hbmActivationBytes, hbmKvReservedBytes }: ChipStatus): number {
  return hbmWeightBytes + hbmActivationBytes + hbmKvReservedBytes;
}
