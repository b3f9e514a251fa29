import { heldSpeed, realTimeFactor } from '../../cluster/pacer.ts';
import type { PlacedModel } from '../../core/timing/load-price.ts';
import type { LoadReport } from '../../runtime/load/load-report.ts';
import type { CapacityReport } from '../../sim/capacity/capacity-report.ts';
import { GOAL_LATENCIES } from '../../sim/capacity/latency-goals.ts';
import { REPORTED_PERCENTILES, type ServingReport } from '../../sim/capacity/serving-report.ts';
import { caveats } from '../models/price-parts.ts';
import { formatShare } from '../models/quantity.ts';
import { paceSentence } from '../serve/pace-text.ts';
import { renderTable } from '../terminal/table.ts';

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
  readonly host: number;
}

const PERCENTILES = [50, 99] as const;

/** The object of `--json`. */
export function loadObject(load: ServedLoad): object {
  const { placed, report } = load;
  const { device, refused, steps, preemptions, pace } = report;
  const { completed, inputTokens, outputTokens } = device;
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
    device_seconds: device.seconds,
    ...{ total_input: inputTokens, total_output: outputTokens },
    mean_sequences: report.meanSequences,
    max_sequences: report.mostSequences,
    ...Object.fromEntries(
      rowsOf(load).map(({ key, device, simulated, host }) => [key, { device, simulated, host }]),
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
    digits(host),
  ]);
  return [
    `${placed.architecture.name} on ${placed.layout.tp} × ${placed.chip.name}, ${placed.software.name}: device time of the cluster and of a simulation of the same arrivals`,
    renderTable(head, rows, { stream: process.stdout, textColumns: 1 }),
    `${report.device.completed} requests, ${report.refused} refused; ${report.steps} steps of ${Math.round(report.meanSequences)} sequences on the average and ${report.mostSequences} at the most; ${report.preemptions} preemptions.`,
    paceSentence(report.pace),
    `The coordinator took ${formatShare(report.coordinatorCpuShare)} of a core.`,
    ...caveats(placed),
  ].join('\n');
}

function rowsOf({ report, simulated }: ServedLoad): Row[] {
  const row = (key: string, title: string, of: (report: ServingReport) => number): Row => ({
    ...{ key, title, device: of(report.device), simulated: of(simulated), host: of(report.host) },
  });
  return [
    row('request_throughput', 'Requests/s', (it) => it.requestsPerSecond),
    row('output_throughput', 'Output tokens/s', (it) => it.outputTokensPerSecond),
    row('total_token_throughput', 'All tokens/s', (it) => it.totalTokensPerSecond),
    ...GOAL_LATENCIES.flatMap((name) =>
      PERCENTILES.map((percent) => {
        const index = REPORTED_PERCENTILES.indexOf(percent);
        const isMedian = percent === 50;
        return row(
          `${isMedian ? 'median' : 'p99'}_${name}_ms`,
          `${isMedian ? 'Median' : 'P99'} ${name.toUpperCase()} (ms)`,
          ({ latencies }) => latencies[name].percentiles[index]!,
        );
      }),
    ),
  ];
}

function differenceOf(value: number, reference: number): string {
  if (reference === 0) return '';
  return `${(100 * (value / reference - 1)).toFixed(2)} %`;
}

function digits(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : value.toPrecision(4);
}
