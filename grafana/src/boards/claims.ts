import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { makeBoard, type Row } from '../board.ts';
import { chart, tile } from '../panels.ts';
import { meanBy, quantileBy, rateBy } from '../promql.ts';
import { datasourceVariable, ENGINE, engineVariables } from '../variables.ts';

const DEVICE_SECONDS = rateBy('engine', `sohu_step_device_seconds_sum${ENGINE}`);
const HOST_SECONDS = rateBy('engine', `sohu_step_duration_seconds_sum${ENGINE}`);
const TOKENS = rateBy('engine', `sohu_tokens_total${ENGINE}`);
const BASELINE_SECONDS = rateBy('engine, baseline', `sohu_baseline_device_seconds_total${ENGINE}`);
const CLAIM =
  'Sohu as its vendor claims it: an input of the model, by construction, and no result.';

const perDeviceSecond = (series: string): string =>
  `${rateBy('engine', `${series}${ENGINE}`)} / ${DEVICE_SECONDS}`;

const THROUGHPUT: Row = {
  title: 'Device time: Sohu as claimed, and the same steps on other chips',
  panels: [
    tile({
      title: 'Tokens per second',
      description: `Prompt and generated, per second of device time. ${CLAIM}`,
      unit: 'short',
      span: 6,
      queries: [[`${TOKENS} / ${DEVICE_SECONDS}`, 'Sohu']],
    }),
    tile({
      title: 'Device step',
      description: `Mean. ${CLAIM}`,
      unit: 's',
      span: 6,
      queries: [[meanBy('engine', 'sohu_step_device_seconds', ENGINE), 'Sohu']],
    }),
    tile({
      title: 'Emulation',
      description: 'Host seconds that a device second takes.',
      unit: 'short',
      span: 6,
      queries: [[`${HOST_SECONDS} / ${DEVICE_SECONDS}`, 'times slower']],
    }),
    tile({
      title: 'Energy',
      description: 'Of all modelled chips for a token, prompt or generated; assumed power.',
      unit: 'joule',
      span: 6,
      queries: [
        [`${rateBy('engine', `sohu_device_energy_joules_total${ENGINE}`)} / ${TOKENS}`, 'a token'],
      ],
    }),
    chart({
      title: 'Tokens per second of device time',
      description: `As many chips, the same batches, ideal software. ${CLAIM}`,
      unit: 'short',
      span: 12,
      queries: [
        [`${TOKENS} / ${DEVICE_SECONDS}`, 'Sohu as claimed'],
        [`${TOKENS} / on (engine) group_right () ${BASELINE_SECONDS}`, '{{baseline}}'],
      ],
    }),
    chart({
      title: 'How much longer the same steps take',
      description: 'Device time over that of Sohu as claimed; 1 is as fast.',
      unit: 'short',
      span: 12,
      queries: [
        [`${BASELINE_SECONDS} / on (engine) group_left () ${DEVICE_SECONDS}`, '{{baseline}}'],
      ],
    }),
  ],
};

const ACHIEVED: Row = {
  title: 'What a modelled chip achieves in device time',
  panels: [
    chart({
      title: 'FLOP/s',
      description: 'Of one chip.',
      unit: 'flops',
      queries: [[perDeviceSecond('sohu_device_flops_total'), 'engine {{engine}}']],
    }),
    chart({
      title: 'Memory traffic',
      description: 'Of one chip.',
      unit: 'Bps',
      queries: [[perDeviceSecond('sohu_device_hbm_bytes_total'), 'engine {{engine}}']],
    }),
    chart({
      title: 'Tokens by phase',
      description: 'Computed, per second of device time.',
      unit: 'short',
      stacked: true,
      queries: [
        [
          `${rateBy('engine, phase', `sohu_phase_tokens_total${ENGINE}`)} / on (engine) group_left () ${DEVICE_SECONDS}`,
          '{{phase}}',
        ],
      ],
    }),
  ],
};

const STEPS: Row = {
  title: 'Steps in host and in device time',
  panels: [
    chart({
      title: 'Device time of a step',
      description: 'Quantiles from buckets of about two to an octave.',
      unit: 's',
      span: 12,
      queries: [0.5, 0.95, 0.99].map((quantile) => [
        quantileBy(quantile, { by: 'engine', name: 'sohu_step_device_seconds', selector: ENGINE }),
        `p${100 * quantile}`,
      ]),
    }),
    chart({
      title: 'Host time of a step',
      description: 'Quantiles from buckets of about two to an octave.',
      unit: 's',
      span: 12,
      queries: [0.5, 0.95, 0.99].map((quantile) => [
        quantileBy(quantile, {
          by: 'engine',
          name: 'sohu_step_duration_seconds',
          selector: ENGINE,
        }),
        `p${100 * quantile}`,
      ]),
    }),
  ],
};

const PACE: Row = {
  title: 'How this computer keeps up with device time',
  panels: [
    tile({
      title: 'Real-time factor',
      description: 'Device time over what the busy time of the host should hold; 1 is on time.',
      unit: 'short',
      span: 6,
      queries: [[`sohu_real_time_factor${ENGINE}`, 'engine {{engine}}']],
    }),
    chart({
      title: 'Behind the deadline',
      description: 'Of the last step of a paced cluster; 0 where nothing is paced.',
      unit: 's',
      span: 9,
      queries: [[`sohu_device_lag_seconds${ENGINE}`, 'engine {{engine}}']],
    }),
    chart({
      title: 'Time with something to do',
      description: 'Seconds a second: of the host, and of device time in them.',
      unit: 'short',
      span: 9,
      queries: [
        [rateBy('engine', `sohu_busy_seconds_total${ENGINE}`), 'host'],
        [rateBy('engine', `sohu_device_seconds_total${ENGINE}`), 'device'],
      ],
    }),
  ],
};

/** What the claim would mean for the load that runs. */
export function claimsBoard(): Dashboard {
  return makeBoard({
    uid: 'sohu-claims',
    title: 'Sohu: claims',
    description: 'The load that runs, in the time of the chip as claimed and of others.',
    variables: [datasourceVariable(), ...engineVariables()],
    rows: [THROUGHPUT, ACHIEVED, STEPS, PACE],
  });
}
