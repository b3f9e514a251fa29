/**
 * Measures how well this computer holds the pace of phantom clusters: eight chips of Llama-3-70B over the
 * real broker at speed 1, under loads that the coordinator offers itself. Device times stand beside those
 * of a simulation of the same arrivals; what a client in this computer would see stands in host time.
 */
import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { digits, printTable, type Row } from './table.ts';

interface Load {
  readonly chip: string;
  readonly software: string;
  /** Requests per second of device time; infinite where all are there at the start. */
  readonly rate: number;
  /** Tokens of a prompt and of an output. */
  readonly lengths: readonly [number, number];
  /** Where they are not those of the whole time. */
  readonly requests?: number;
}

interface Sides {
  readonly device: number;
  readonly simulated: number;
  readonly host: number;
}

/** Of the keys that `sohu load --json` prints, those that are shown. */
interface Served {
  readonly real_time_factor: number;
  readonly steps: number;
  readonly device_seconds: number;
  readonly mean_sequences: number;
  readonly max_sequences: number;
  readonly output_throughput: Sides;
  readonly median_tpot_ms: Sides;
  readonly median_ttft_ms: Sides;
}

const LOADS: readonly Load[] = [
  { chip: 'H100', software: 'trtllm-1.0', rate: 4, lengths: [2048, 128] },
  { chip: 'Sohu', software: 'ideal', rate: 90, lengths: [2048, 128] },
  { chip: 'Sohu', software: 'as-claimed', rate: 230, lengths: [2048, 128] },
  { chip: 'Sohu', software: 'ideal', rate: Infinity, lengths: [256, 256], requests: 4000 },
];
const options = new Command('bench:phantom')
  .option('--seconds <count>', 'device time of each load', wholeNumber(1), 20)
  .parse()
  .opts<{ readonly seconds: number }>();
const rows: Row[] = [];
for (const load of LOADS) rows.push(rowOf(load, await serve(load, options.seconds)));
printTable(rows);

async function serve(load: Load, seconds: number): Promise<Served> {
  const { chip, software, rate, lengths } = load;
  const [inputs, outputs] = lengths;
  const flags = Object.entries({
    ...{ chip, software, isl: inputs, osl: outputs },
    'request-rate': Number.isFinite(rate) ? rate : 'inf',
    'num-prompts': load.requests ?? rate * seconds,
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = ['load', ...flags, '--json'];
  const child = spawn(process.execPath, [packagePath('dist/services/cli/main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  return JSON.parse(text) as Served;
}

function rowOf({ chip, software, rate }: Load, served: Served): Row {
  const { output_throughput: output, median_tpot_ms: tpot, median_ttft_ms: ttft } = served;
  const sides = (name: string, { device, host, simulated }: Sides): Row => ({
    [`${name} ms`]: digits(device, 3),
    [`${name} of host`]: digits(host, 3),
    [`${name} simulated`]: digits(simulated, 3),
  });
  return {
    ...{ chip, software, 'requests/s': String(rate) },
    'tokens out/s': Math.round(output.device),
    'steps/s': digits(served.steps / served.device_seconds, 3),
    sequences: Math.round(served.mean_sequences),
    'at most': served.max_sequences,
    'real-time factor': digits(served.real_time_factor, 3),
    ...sides('TPOT', tpot),
    ...sides('TTFT', ttft),
  };
}
