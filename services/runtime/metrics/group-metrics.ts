import { Gauge, type Registry } from 'prom-client';
import type { Coordinator } from '../../cluster/coordinator.ts';
import type { ChipStatus } from '../../rpc/telemetry-types.ts';

/** One gauge with a series for every chip. */
export type ChipGauge = readonly [name: string, help: string, read: (chip: ChipStatus) => number];

const CHIP_GAUGES: readonly ChipGauge[] = [
  ['sohu_chip_ready', 'Whether the chip takes steps.', (it) => Number(it.state === 'ready')],
  ['sohu_chip_busy_ratio', 'Share of the last seconds in which a step ran.', (it) => it.busy],
  ['sohu_chip_mfu_ratio', 'Model FLOP/s of the modelled chip’s dense peak.', (it) => it.mfu],
  [
    'sohu_chip_hbm_bandwidth_ratio',
    'Memory traffic of the modelled chip’s bandwidth.',
    (it) => it.hbmBandwidth,
  ],
  [
    'sohu_chip_link_bandwidth_ratio',
    'Bytes sent of the modelled chip’s link rate.',
    (it) => it.linkBandwidth,
  ],
  [
    'sohu_chip_power_watts',
    'Draw of the modelled chip; the middle of what its data sheet allows.',
    (it) => it.powerWatts,
  ],
  ['sohu_chip_kv_used_bytes', 'Modelled HBM of the KV blocks in use.', (it) => it.hbmKvBytes],
  [
    'sohu_chip_step_compute_seconds',
    'Host time that the chip’s last step computed.',
    (it) => it.stepComputeMs / 1000,
  ],
];

/** The state of a group and of its chips, read when somebody asks. */
export function registerGroupMetrics(
  registry: Registry,
  group: { readonly coordinator: Coordinator; readonly chips: () => readonly ChipStatus[] },
): void {
  const { coordinator, chips } = group;
  const registers = [registry];
  new Gauge({
    name: 'sohu_requests',
    help: 'Requests in the scheduler, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'waiting' }, coordinator.scheduler?.waitingCount ?? 0);
      this.set({ state: 'running' }, coordinator.scheduler?.runningCount ?? 0);
    },
  });
  new Gauge({
    name: 'sohu_epoch',
    help: 'Raised whenever the chips of the group begin anew.',
    registers,
    collect() {
      this.set(coordinator.epoch);
    },
  });
  new Gauge({
    name: 'sohu_hbm_bytes',
    help: 'Modelled HBM in use over all chips of the group.',
    labelNames: ['use'],
    registers,
    collect() {
      const now = chips();
      const sum = (read: (chip: ChipStatus) => number): number =>
        now.reduce((total, chip) => total + read(chip), 0);
      this.set(
        { use: 'weights' },
        sum((chip) => chip.hbmWeightBytes),
      );
      this.set(
        { use: 'activations' },
        sum((chip) => chip.hbmActivationBytes),
      );
      this.set(
        { use: 'kv' },
        sum((chip) => chip.hbmKvBytes),
      );
    },
  });
  for (const gauge of CHIP_GAUGES) {
    registerChipGauge(registry, gauge, {
      chips,
      labelsOf: ({ seat }) => ({ chip: String(seat) }),
    });
  }
}

/** A gauge that has a series for each chip that the group has now. */
export function registerChipGauge(
  registry: Registry,
  [name, help, read]: ChipGauge,
  of: {
    readonly chips: () => readonly ChipStatus[];
    readonly labelsOf: (chip: ChipStatus) => Readonly<Record<string, string>>;
    readonly labelNames?: readonly string[];
  },
): void {
  const { chips, labelsOf, labelNames = ['chip'] } = of;
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const chip of chips()) this.set(labelsOf(chip), read(chip));
    },
  });
}
