import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { makeBoard, type Row } from '../board.ts';
import { chart, type PanelOptions } from '../panels.ts';
import { meanBy, rateBy } from '../promql.ts';
import {
  CHIP,
  chipVariable,
  datasourceVariable,
  ENGINE,
  engineVariables,
  GROUP_CHIP,
  where,
} from '../variables.ts';

const COMPUTE = where(CHIP, 'part="compute"');
const COMMUNICATION = where(CHIP, 'part="communication"');
const STEP = 'sohu_chip_step_duration_seconds';

/** One line for each chip, of a gauge that its group shows. */
function chipGauge(name: string, options: Omit<PanelOptions, 'queries'>) {
  return chart({
    ...options,
    queries: [[`${name}${GROUP_CHIP}`, 'engine {{engine}} chip {{chip}}']],
  });
}

const UTILISATION: Row = {
  title: 'Modelled chips, over the last two seconds of host time',
  panels: [
    chipGauge('sohu_chip_busy_ratio', {
      title: 'Busy',
      description: 'Share of host time in which a step ran.',
      unit: 'percentunit',
      max: 1,
    }),
    chipGauge('sohu_chip_mfu_ratio', {
      title: 'MFU',
      description: 'Model FLOP/s of the dense peak, while a step runs; idle time counts as none.',
      unit: 'percentunit',
    }),
    chipGauge('sohu_chip_hbm_bandwidth_ratio', {
      title: 'HBM bandwidth',
      description: 'Of the modelled bandwidth, likewise.',
      unit: 'percentunit',
    }),
    chipGauge('sohu_chip_link_bandwidth_ratio', {
      title: 'Link bandwidth',
      description: 'Of the modelled rate of all links, likewise.',
      unit: 'percentunit',
    }),
    chipGauge('sohu_chip_power_watts', {
      title: 'Power',
      description: 'Middle of what the assumed data sheet allows; it is no measurement.',
      unit: 'watt',
    }),
    chipGauge('sohu_chip_ready', {
      title: 'Ready',
      description: '1 while the chip takes steps of its group.',
      unit: 'short',
      max: 1,
    }),
  ],
};

const MEMORY: Row = {
  title: 'Modelled memory',
  panels: [
    chart({
      title: 'HBM in use',
      description: 'Over all chips of a group, with the KV blocks that are in use.',
      unit: 'bytes',
      stacked: true,
      queries: [[`sum by (use) (sohu_hbm_bytes${ENGINE})`, '{{use}}']],
    }),
    chart({
      title: 'HBM of a chip',
      description: 'kv_reserved is all blocks, used or not; kv_used is those in use.',
      unit: 'bytes',
      queries: [
        [`sohu_chip_hbm_bytes${CHIP}`, 'chip {{chip}} {{use}}'],
        [`sohu_chip_kv_used_bytes${GROUP_CHIP}`, 'chip {{chip}} kv_used'],
      ],
    }),
    chart({
      title: 'HBM left',
      description: 'Of the capacity that is published.',
      unit: 'bytes',
      queries: [
        [
          `sohu_chip_hbm_capacity_bytes${CHIP} - ignoring (use) sum without (use) (sohu_chip_hbm_bytes${CHIP})`,
          'chip {{chip}}',
        ],
      ],
    }),
  ],
};

const STEPS: Row = {
  title: 'Steps (host time)',
  panels: [
    chart({
      title: 'Computing',
      description: 'Mean time of a step that the chip’s process computed.',
      unit: 's',
      queries: [[meanBy('group, chip', STEP, COMPUTE), 'chip {{chip}}']],
    }),
    chart({
      title: 'Waiting for others',
      description: 'Mean time of a step in exchanges.',
      unit: 's',
      queries: [[meanBy('group, chip', STEP, COMMUNICATION), 'chip {{chip}}']],
    }),
    chart({
      title: 'Stragglers',
      description: 'Computing of a chip over the median of its group; 1 is even.',
      unit: 'short',
      queries: [[`sohu:chip_compute_over_median:ratio${CHIP}`, 'chip {{chip}}']],
    }),
    chart({
      title: 'Rows',
      description: 'Tokens whose rows a chip computed, per second.',
      unit: 'short',
      queries: [[rateBy('group, chip', `sohu_chip_tokens_total${CHIP}`), 'chip {{chip}}']],
    }),
    chart({
      title: 'Report skew',
      description: 'Mean time from the first chip’s report on a step to the last one’s.',
      unit: 's',
      queries: [[meanBy('engine', 'sohu_step_skew_seconds', ENGINE), 'engine {{engine}}']],
    }),
    chart({
      title: 'Epochs',
      description: 'Of chips; all of a group are in the same.',
      unit: 'short',
      queries: [[`sohu_chip_epoch${CHIP}`, 'chip {{chip}}']],
    }),
    chart({
      title: 'Steps of a chip',
      description: 'Per second, and commands that it refused.',
      unit: 'short',
      queries: [
        [rateBy('group, chip', `sohu_chip_steps_total${CHIP}`), 'chip {{chip}}'],
        [rateBy('reason', `sohu_chip_refused_steps_total${CHIP}`), 'refused: {{reason}}'],
      ],
    }),
    chart({
      title: 'Last step, computing',
      description: 'As the group heard it from the chip.',
      unit: 's',
      queries: [[`sohu_chip_step_compute_seconds${GROUP_CHIP}`, 'chip {{chip}}']],
    }),
    chart({
      title: 'Processor time',
      description: 'Cores that the process of a chip takes.',
      unit: 'short',
      queries: [
        ['rate(process_cpu_seconds_total{job="sohu-chip"}[$__rate_interval])', '{{instance}}'],
      ],
    }),
  ],
};

/** What every chip of a cluster does. */
export function chipsBoard(): Dashboard {
  return makeBoard({
    uid: 'sohu-chips',
    title: 'Sohu: chips',
    description: 'Every modelled chip, and the process that emulates it.',
    variables: [datasourceVariable(), ...engineVariables(), chipVariable()],
    rows: [UTILISATION, MEMORY, STEPS],
  });
}
