/**
 * Measures how far a phantom cluster at speed 1, loaded by `sohu bench` as any client would over HTTP or
 * the SDK, is from `sohu sim` of the same arrivals: host time of a client here beside device time there.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { digits, listOf, oneOf, printTable, type Row } from './table.ts';

interface Options {
  readonly model: string;
  readonly chip: string;
  readonly tp: number;
  readonly software: string;
  readonly backends: readonly string[];
  readonly requestRate: string;
  readonly numPrompts: number;
  readonly isl: number;
  readonly osl: number;
  readonly seed: number;
}

/** Of the keys that `sohu bench --json` and `sohu sim --json` print, those that are compared. */
const COMPARED = [
  ['request_throughput', 'requests/s'],
  ['output_throughput', 'output tokens/s'],
  ['median_ttft_ms', 'median TTFT, ms'],
  ['p90_ttft_ms', 'p90 TTFT, ms'],
  ['median_tpot_ms', 'median TPOT, ms'],
  ['p90_tpot_ms', 'p90 TPOT, ms'],
  ['median_itl_ms', 'median ITL, ms'],
  ['median_e2el_ms', 'median E2EL, ms'],
] as const;
type Report = Readonly<Record<(typeof COMPARED)[number][0] | 'completed' | 'failed', number>>;

const CLI = packagePath('dist/services/cli/main.js');
const options = new Command('bench:agreement')
  .option('--model <name>', 'see `sohu models`', 'llama-3-70b')
  .option('--chip <name>', 'see `sohu chips`', 'H100')
  .option('--tp <chips>', 'tensor-parallel degree', wholeNumber(1), 8)
  .option('--software <version>', 'of cluster and simulation', 'trtllm-1.0')
  .option('--backends <names>', 'as of `sohu bench`', listOf(oneOf(['openai', 'sohu'])), [
    'openai',
    'sohu',
  ])
  .option('--request-rate <rate>', 'requests a second', '4')
  .option('--num-prompts <count>', 'requests', wholeNumber(2), 200)
  .option('--isl <tokens>', 'prompt tokens', wholeNumber(1), 2048)
  .option('--osl <tokens>', 'output tokens', wholeNumber(1), 128)
  .option('--seed <number>', 'of arrivals', wholeNumber(0), 0)
  .parse()
  .opts<Options>();
const state = mkdtempSync(join(tmpdir(), 'sohu-agreement-'));
const env = { ...process.env, XDG_STATE_HOME: state };
// What `up` and `sim` share, and what `bench` and `sim` do.
const { model, chip, tp, software, backends, ...load } = options;
const place = flagsOf({ model, chip, tp, software });
try {
  const simulated = await reportOf(['sim', ...place, ...flagsOf(load)]);
  for (const backend of backends) {
    const served = await serve(backend);
    console.log(`${backend}: ${served.completed} requests, ${served.failed} failed`);
    printTable(COMPARED.map(([key, title]) => rowOf(title, served[key], simulated[key])));
  }
} finally {
  rmSync(state, { recursive: true, force: true });
}

/** A cluster serves one load: the next would find the prompts of the same seed in the prefix cache. */
async function serve(backend: string): Promise<Report> {
  const args = ['up', '--weights', 'phantom', ...place, '--port', '0'];
  const cluster = spawn(process.execPath, [CLI, ...args], {
    ...{ env, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  const ended = once(cluster, 'exit');
  try {
    await untilServing(cluster);
    return await reportOf(['bench', '--backend', backend, ...flagsOf(load)]);
  } finally {
    cluster.kill('SIGINT');
    await ended;
  }
}

/** Its output is read to the end, which a cluster that is told to stop writes. */
async function untilServing(cluster: ChildProcess): Promise<void> {
  let text = '';
  const serving = new Promise<void>((resolve) => {
    cluster.stdout!.on('data', (chunk) => {
      text += chunk;
      if (/^Try /m.test(text)) resolve();
    });
  });
  const failed = once(cluster, 'exit').then(() => {
    throw new Error('the cluster did not start');
  });
  await Promise.race([serving, failed]);
}

async function reportOf(args: readonly string[]): Promise<Report> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args, '--json'], { env });
  return JSON.parse(stdout) as Report;
}

function rowOf(title: string, served: number, simulated: number): Row {
  const difference = `${(100 * (served / simulated - 1)).toFixed(1)} %`;
  return { '': title, client: digits(served, 4), sim: digits(simulated, 4), difference };
}

function flagsOf(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
}
