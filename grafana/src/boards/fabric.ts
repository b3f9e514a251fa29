import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { makeBoard, type Row } from '../board.ts';
import { chart } from '../panels.ts';
import { meanBy, quantileBy, rateBy, WINDOW } from '../promql.ts';
import { CHIP, chipVariable, datasourceVariable, ENGINE, engineVariables } from '../variables.ts';

const BY = 'operation, algorithm';
const LEGEND = '{{operation}}, {{algorithm}}';

const COLLECTIVES: Row = {
  title: 'Collectives between the chips’ processes (host time)',
  panels: [
    chart({
      title: 'Time of an exchange',
      description: 'Mean on a chip, waiting for the others included.',
      unit: 's',
      queries: [[meanBy(BY, 'sohu_collective_seconds', CHIP), LEGEND]],
    }),
    chart({
      title: 'Time of an exchange, p99',
      description: 'From buckets of about two to an octave.',
      unit: 's',
      queries: [
        [quantileBy(0.99, { by: BY, name: 'sohu_collective_seconds', selector: CHIP }), LEGEND],
      ],
    }),
    chart({
      title: 'Skew of an exchange',
      description: 'Mean time between the first and the last frame that a chip waited for.',
      unit: 's',
      queries: [[meanBy(BY, 'sohu_collective_skew_seconds', CHIP), LEGEND]],
    }),
    chart({
      title: 'Payload',
      description: 'What chips sent in exchanges.',
      unit: 'Bps',
      stacked: true,
      queries: [[rateBy(BY, `sohu_collective_bytes_total${CHIP}`), LEGEND]],
    }),
    chart({
      title: 'Frames',
      description: 'Bytes that each chip sent and received, envelopes included.',
      unit: 'Bps',
      queries: [
        [
          rateBy('chip, direction', `sohu_chip_collective_bytes_total${CHIP}`),
          'chip {{chip}} {{direction}}',
        ],
      ],
    }),
    chart({
      title: 'Dropped frames',
      description: 'Frames that were not used, by reason; each is asked for again.',
      unit: 'short',
      queries: [[rateBy('reason', `sohu_chip_dropped_frames_total${CHIP}`), '{{reason}}']],
    }),
  ],
};

const MODELLED: Row = {
  title: 'Modelled links (device time)',
  panels: [
    chart({
      title: 'Bytes sent over a chip’s links',
      description: 'Per second of device time.',
      unit: 'Bps',
      span: 12,
      queries: [
        [
          `${rateBy('engine', `sohu_device_link_bytes_total${ENGINE}`)} / ${rateBy('engine', `sohu_step_device_seconds_sum${ENGINE}`)}`,
          'engine {{engine}}',
        ],
      ],
    }),
    chart({
      title: 'Bytes streamed from a chip’s HBM',
      description: 'Per second of device time.',
      unit: 'Bps',
      span: 12,
      queries: [
        [
          `${rateBy('engine', `sohu_device_hbm_bytes_total${ENGINE}`)} / ${rateBy('engine', `sohu_step_device_seconds_sum${ENGINE}`)}`,
          'engine {{engine}}',
        ],
      ],
    }),
  ],
};

/** Several coordinators may show the same broker, which is one all the same. */
function brokerRate(counter: string): string {
  return `max by (broker, direction) (rate(${counter}${ENGINE}[${WINDOW}]))`;
}

const BROKER: Row = {
  title: 'Broker',
  panels: [
    chart({
      title: 'Messages',
      description: 'Through each broker, per second.',
      unit: 'short',
      queries: [[brokerRate('sohu_broker_messages_total'), '{{broker}} {{direction}}']],
    }),
    chart({
      title: 'Bytes',
      description: 'Through each broker, per second.',
      unit: 'Bps',
      queries: [[brokerRate('sohu_broker_bytes_total'), '{{broker}} {{direction}}']],
    }),
    chart({
      title: 'Connections and subscriptions',
      description: 'Open now.',
      unit: 'short',
      queries: [
        [`max by (broker) (sohu_broker_connections${ENGINE})`, '{{broker}} connections'],
        [`max by (broker) (sohu_broker_subscriptions${ENGINE})`, '{{broker}} subscriptions'],
      ],
    }),
    chart({
      title: 'Slow consumers',
      description: 'Readers that each broker cut off since its start.',
      unit: 'short',
      queries: [[`max by (broker) (sohu_broker_slow_consumers${ENGINE})`, '{{broker}}']],
    }),
    chart({
      title: 'Memory',
      description: 'Resident memory of each broker.',
      unit: 'bytes',
      queries: [[`max by (broker) (sohu_broker_memory_bytes${ENGINE})`, '{{broker}}']],
    }),
    chart({
      title: 'Monitoring',
      description: 'Whether each broker’s monitoring answers.',
      unit: 'short',
      max: 1,
      queries: [[`min by (broker) (sohu_broker_up${ENGINE})`, '{{broker}}']],
    }),
  ],
};

/** What goes between the chips. */
export function fabricBoard(): Dashboard {
  return makeBoard({
    uid: 'sohu-fabric',
    title: 'Sohu: fabric',
    description: 'Collectives, frames and the broker that carries them.',
    variables: [datasourceVariable(), ...engineVariables(), chipVariable()],
    rows: [COLLECTIVES, MODELLED, BROKER],
  });
}
