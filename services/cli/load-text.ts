import { heldSpeed, realTimeFactor } from '../cluster/pacer.ts';
import type { PlacedModel } from '../core/timing/load-price.ts';
import { LOAD_LATENCIES, type LoadLatency, type LoadReport } from '../runtime/load/load-report.ts';
import { type CapacityReport, REPORTED_PERCENTILES } from '../sim/capacity/capacity-report.ts';
import { paceSentence } from './pace-text.ts';
import { caveats } from './price-parts.ts';
import { formatShare } from './quantity.ts';
import { renderTable } from './table.ts';

/** A load that a cluster has served, and the simulation of the same. */
export interface ServedLoad {
  readonly placed: PlacedModel;
  readonly report: LoadReport;
  readonly simulated: CapacityReport;
}

interface Row {
  readonly key: string;
  readonly title: string;
  readonly device: number;
  readonly simulated: number;
  /** Undefined where host time says nothing. */
  readonly host: number | undefined;
}

const PERCENTILES = [50, 99] as const;

/** The object of `--json`. */
export function loadObject(load: ServedLoad): object {
  const { placed, report } = load;
  const { completed, refused, inputTokens, outputTokens, steps, preemptions, pace } = report;
  return {
    model: placed.architecture.name,
    chip: placed.chip.name,
    chips: placed.layout.tp,
    software: placed.software.name,
    speed: pace.speed,
    real_time_factor: realTimeFactor(pace) ?? null,
    held_speed: heldSpeed(pace),
    coordinator_cpu: report.coordinatorCpuShare,
    ...{ completed, failed: refused, steps, preemptions },
    device_seconds: report.deviceSeconds,
    ...{ total_input: inputTokens, total_output: outputTokens },
    mean_sequences: report.meanSequences,
    max_sequences: report.mostSequences,
    ...Object.fromEntries(
      rowsOf(load).map(({ key, device, simulated, host }) => [
        key,
        { device, simulated, host: host ?? null },
      ]),
    ),
  };
}

/** What a load came to, in device time beside the simulation's, and in host time. */
export function loadText(load: ServedLoad): string {
  const { placed, report } = load;
  const head = ['', 'Cluster', 'Simulation', 'Difference', 'Host time'];
  const rows = rowsOf(load).map(({ title, device, simulated, host }) => [
    title,
    digits(device),
    digits(simulated),
    differenceOf(device, simulated),
    host === undefined ? '' : digits(host),
  ]);
  return [
    `${placed.architecture.name} on ${placed.layout.tp} × ${placed.chip.name}, ${placed.software.name}: device time of the cluster and of a simulation of the same arrivals`,
    renderTable(head, rows, { stream: process.stdout, textColumns: 1 }),
    `${report.completed} requests, ${report.refused} refused; ${report.steps} steps of ${Math.round(report.meanSequences)} sequences on the average and ${report.mostSequences} at the most; ${report.preemptions} preemptions.`,
    paceSentence(report.pace),
    `The coordinator took ${formatShare(report.coordinatorCpuShare)} of a core.`,
    ...caveats(placed),
  ].join('\n');
}

function rowsOf({ report, simulated }: ServedLoad): Row[] {
  const { deviceSeconds, hostSeconds, outputTokens, inputTokens, completed } = report;
  const rate = (key: string, title: string, count: number, of: number): Row => ({
    ...{ key, title, simulated: of },
    device: count / deviceSeconds,
    host: count / hostSeconds,
  });
  return [
    rate('request_throughput', 'Requests/s', completed, simulated.requestsPerSecond),
    rate('output_throughput', 'Output tokens/s', outputTokens, simulated.outputTokensPerSecond),
    rate(
      'total_token_throughput',
      'All tokens/s',
      inputTokens + outputTokens,
      simulated.totalTokensPerSecond,
    ),
    ...LOAD_LATENCIES.flatMap((name) => latencyRows(name, report, simulated)),
  ];
}

function latencyRows(name: LoadLatency, report: LoadReport, simulated: CapacityReport): Row[] {
  return PERCENTILES.map((percent) => {
    const index = REPORTED_PERCENTILES.indexOf(percent);
    const label = percent === 50 ? 'median' : `p${percent}`;
    return {
      key: `${label}_${name}_ms`,
      title: `${label === 'median' ? 'Median' : 'P99'} ${name.toUpperCase()} (ms)`,
      device: report.device[name].percentiles[index]!,
      simulated: simulated.latencies[name].percentiles[index]!,
      host: report.host[name].percentiles[index]!,
    };
  });
}

function differenceOf(value: number, reference: number): string {
  if (reference === 0) return '';
  return `${(100 * (value / reference - 1)).toFixed(2)} %`;
}

function digits(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : value.toPrecision(4);
}
