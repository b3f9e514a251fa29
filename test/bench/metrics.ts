/**
 * Measures what the coordinator's metrics cost: the same load of a phantom cluster over the real broker, in
 * pairs of a coordinator with them and one without, in either order by turns. Every coordinator is a new
 * process; broker and chips stay.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Command } from 'commander';
import { findNatsServer } from '../../services/runtime/broker/find-nats-server.ts';
import { startBroker } from '../../services/runtime/broker/nats-server.ts';
import { HEAP_ARGUMENTS } from '../../services/runtime/cluster/launch.ts';
import type { LoadReport } from '../../services/runtime/load/load-report.ts';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { spawnNode } from '../../services/runtime/process/spawn-node.ts';
import { digits, median, printTable } from './table.ts';

interface Options {
  readonly pairs: number;
  readonly software: string;
  readonly requestRate: string;
  readonly numPrompts: number;
  readonly speed: string;
}

/** What a load took. */
interface Taken {
  readonly hostSeconds: number;
  /** Processor time of the coordinator. */
  readonly cpuSeconds: number;
}

const CHIPS = 8;
const options = new Command('bench:metrics')
  .option('--pairs <count>', 'loads with the metrics, and as many without', wholeNumber(1), 10)
  .option('--software <version>', 'of the phantoms', 'ideal')
  .option('--request-rate <rate>', 'requests a second of device time', '90')
  .option('--num-prompts <count>', 'requests of a load', wholeNumber(1), 3600)
  .option('--speed <factor>', 'device seconds in a second; 0 paces nothing', '0')
  .parse()
  .opts<Options>();
const broker = await startBroker({ binary: await findNatsServer() });
const place = ['--nats', broker.url, '--cluster', 'bench'];
const ranks = Array.from({ length: CHIPS }, (_, rank) => rank).join();
const chips = spawnNode({
  name: 'chips',
  entry: packagePath('dist/services/worker/main.js'),
  args: [...place, '--rank', ranks],
  nodeArgs: HEAP_ARGUMENTS,
  output: 'ignore',
});
try {
  await measure();
} finally {
  await chips.stop();
  await broker.stop();
}

async function measure(): Promise<void> {
  // Chips that have compiled nothing yet would slow the first load down.
  await serve(true);
  const pairs: (readonly [observed: Taken, plain: Taken])[] = [];
  for (let pair = 0; pair < options.pairs; pair++) {
    const first = await serve(pair % 2 === 0);
    const second = await serve(pair % 2 === 1);
    pairs.push(pair % 2 === 0 ? [first, second] : [second, first]);
  }
  printTable(
    pairs.map(([observed, plain]) => ({
      'with, s': digits(observed.hostSeconds, 4),
      'without, s': digits(plain.hostSeconds, 4),
      'cost, %': costOf(observed.hostSeconds, plain.hostSeconds).toFixed(1),
      'CPU with, s': digits(observed.cpuSeconds, 4),
      'CPU without, s': digits(plain.cpuSeconds, 4),
      'cost in CPU, %': costOf(observed.cpuSeconds, plain.cpuSeconds).toFixed(1),
    })),
  );
  tellCosts('host time', pairs, (taken) => taken.hostSeconds);
  tellCosts('processor time of the coordinator', pairs, (taken) => taken.cpuSeconds);
}

/** Prints the median of the pairs, and how far they are apart. */
function tellCosts(
  name: string,
  pairs: readonly (readonly [observed: Taken, plain: Taken])[],
  of: (taken: Taken) => number,
): void {
  const costs = pairs
    .map(([observed, plain]) => costOf(of(observed), of(plain)))
    .toSorted((a, b) => a - b);
  const at = (share: number): string => costs[Math.floor(share * (costs.length - 1))]!.toFixed(1);
  console.log(
    `cost in ${name}: median ${median(costs).toFixed(1)} %, quartiles ${at(0.25)} and ${at(0.75)} %, from ${at(0)} to ${at(1)} %`,
  );
}

/** Has a new coordinator serve the load. */
async function serve(isObserved: boolean): Promise<Taken> {
  const flags = Object.entries({
    ...{ tp: CHIPS, model: 'llama-3-70b', weights: 'phantom', chip: 'Sohu' },
    ...{ software: options.software, speed: options.speed, 'max-num-queued-reqs': 0xffffffff },
    ...{ 'request-rate': options.requestRate, 'num-prompts': options.numPrompts },
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = [...place, ...flags, ...(isObserved ? ['--observed'] : [])];
  const child = fork(packagePath('dist/test/bench/metrics-coordinator.js'), args, {
    execArgv: HEAP_ARGUMENTS,
  });
  const exited = once(child, 'exit');
  const [report] = (await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`a coordinator ended with ${code}`))),
  ])) as [LoadReport];
  child.disconnect();
  await exited;
  const { seconds } = report.host;
  return { hostSeconds: seconds, cpuSeconds: report.coordinatorCpuShare * seconds };
}

function costOf(observed: number, plain: number): number {
  return 100 * (observed / plain - 1);
}
