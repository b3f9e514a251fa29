/**
 * Measures decoding through the whole program: a cluster as `sohu up` starts it, and clients that
 * all send at once. Every step's host time is divided into computing and waiting for exchanges, as
 * the mean chip counted them, and the rest; beside it stands the processor time of the processes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type ServerInfo, SohuClient } from '../../services/client/index.ts';
import { PRECISIONS, type Precision } from '../../services/core/model/precision.ts';
import { TENSOR_PARALLEL_DEGREES } from '../../services/core/model/shard-plan.ts';
import { launchCluster } from '../../services/runtime/cluster/launch.ts';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import {
  addServingOptions,
  type ServingOptions,
} from '../../services/runtime/options/serving-options.ts';
import { listDescendants } from '../support/cli.ts';
import { digits, listOf, median, oneOf, printTable } from './table.ts';

interface Options {
  readonly model: string;
  readonly tp: number[];
  readonly precision: Precision[];
  readonly concurrency: number[];
  readonly maxTokens: number;
  readonly rounds: number;
  readonly json: true | undefined;
}

/** Processor time of one kind of process since its start. */
interface CpuTimes {
  readonly chips: number;
  readonly broker: number;
  readonly coordinator: number;
}

/** What one round took; times in milliseconds, per step but for the first field. */
interface Round {
  readonly tokensPerSecond: number;
  readonly step: number;
  readonly compute: number;
  readonly communication: number;
  readonly scheduling: number;
  /** NaN where the system does not tell. */
  readonly cpu: CpuTimes;
}

/** One line of the table: the round with the median speed. */
interface Result extends Round {
  readonly tp: number;
  readonly precision: Precision;
  readonly concurrency: number;
}

const PROMPT = 'Once upon a time';
/** What Linux counts processor time in. */
const TICK_MS = 10;

async function measureCluster(
  tp: number,
  precision: Precision,
  options: Options,
): Promise<Result[]> {
  const defaults = addServingOptions(new Command()).opts<ServingOptions>();
  const cluster = await launchCluster({
    ...{ ...defaults, model: options.model, tp, precision, cluster: 'bench' },
    natsServer: undefined,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  const client = await SohuClient.connect(cluster.natsUrl, { cluster: cluster.cluster });
  const results: Result[] = [];
  for (const concurrency of options.concurrency) {
    await runRound(client, concurrency, options.maxTokens);
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round++) {
      rounds.push(await runRound(client, concurrency, options.maxTokens));
    }
    const middle = median(rounds.map(({ tokensPerSecond }) => tokensPerSecond));
    const round = rounds.find(({ tokensPerSecond }) => tokensPerSecond === middle)!;
    results.push({ tp, precision, concurrency, ...round });
  }
  await client.close();
  await cluster.stop();
  return results;
}

async function runRound(
  client: SohuClient,
  concurrency: number,
  maxTokens: number,
): Promise<Round> {
  const before = await client.serverInfo();
  const cpuBefore = readCpuTimes();
  const startMs = performance.now();
  const request = { prompt: PROMPT, maxTokens, temperature: 0, ignoreEos: true };
  const completions = await Promise.all(
    Array.from({ length: concurrency }, () => client.generate(request)),
  );
  const durationMs = performance.now() - startMs;
  const cpuAfter = readCpuTimes();
  const after = await client.serverInfo();
  const tokens = completions.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
  const steps = countOf(after, 'steps') - countOf(before, 'steps');
  const perStep = (field: 'computeMs' | 'communicationMs'): number =>
    (countOf(after, field) - countOf(before, field)) / steps;
  const step = durationMs / steps;
  const compute = perStep('computeMs');
  const communication = perStep('communicationMs');
  return {
    tokensPerSecond: (1000 * tokens) / durationMs,
    step,
    compute,
    communication,
    scheduling: step - compute - communication,
    cpu: {
      chips: (cpuAfter.chips - cpuBefore.chips) / steps,
      broker: (cpuAfter.broker - cpuBefore.broker) / steps,
      coordinator: (cpuAfter.coordinator - cpuBefore.coordinator) / steps,
    },
  };
}

/** A counter of the mean chip. */
function countOf(info: ServerInfo, field: 'steps' | 'computeMs' | 'communicationMs'): number {
  return info.chips.reduce((sum, chip) => sum + chip[field], 0) / info.chips.length;
}

/** Of the processes below this one, which are one cluster's. */
function readCpuTimes(): CpuTimes {
  if (!existsSync('/proc/self/stat')) {
    return { chips: Number.NaN, broker: Number.NaN, coordinator: Number.NaN };
  }
  const processes = listDescendants(process.pid);
  const sumOf = (pattern: RegExp): number =>
    processes
      .filter(({ title }) => pattern.test(title))
      .reduce((sum, { pid }) => sum + cpuMsOf(pid), 0);
  return {
    chips: sumOf(/^sohu: chip/),
    broker: sumOf(/nats\.conf/),
    coordinator: sumOf(/^sohu: coordinator/),
  };
}

function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; the two times are fields 14 and 15 of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function printResults(results: readonly Result[]): void {
  printTable(
    results.map(({ tp, precision, concurrency, cpu, ...round }) => ({
      ...{ tp, precision, concurrent: concurrency },
      'tokens/s': Math.round(round.tokensPerSecond),
      'ms/step': digits(round.step, 3),
      compute: digits(round.compute, 3),
      communication: digits(round.communication, 3),
      scheduling: digits(round.scheduling, 3),
      'CPU ms/step: chips': digits(cpu.chips, 3),
      broker: digits(cpu.broker, 3),
      coordinator: digits(cpu.coordinator, 3),
    })),
  );
}

const options = new Command('bench:decode')
  .option('--model <name-or-path>', 'what to decode with', 'tinystories-5m')
  .option('--tp <list>', 'tensor-parallel degrees', listOf(oneOf(TENSOR_PARALLEL_DEGREES)), [1, 8])
  .option('--precision <list>', 'arithmetic', listOf(oneOf(PRECISIONS)), ['fp8'])
  .option('--concurrency <list>', 'requests at once', listOf(wholeNumber(1)), [1, 8, 64])
  .option('--max-tokens <count>', 'tokens of each request', wholeNumber(2), 128)
  .option('--rounds <count>', 'timed rounds to take the median of', wholeNumber(1), 3)
  .option('--json', 'print JSON')
  .parse()
  .opts<Options>();
const results: Result[] = [];
for (const tp of options.tp) {
  for (const precision of options.precision) {
    results.push(...(await measureCluster(tp, precision, options)));
  }
}
if (options.json) console.log(JSON.stringify(results));
else printResults(results);
