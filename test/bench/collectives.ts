/**
 * Measures all-reduce over real processes and a real broker: every rank runs the chips' own
 * exchanges with nothing to compute in between. Prints the columns of nccl-tests, then the fastest
 * algorithm of each size. Algorithms take turns within each repetition; medians are printed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Command } from 'commander';
import { findNatsServer } from '../../services/runtime/broker/find-nats-server.ts';
import { startBroker } from '../../services/runtime/broker/nats-server.ts';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { PARENT_VARIABLE } from '../../services/runtime/process/exit-with-parent.ts';
import type { CollectiveRun, RankNews, RankPlace } from './collective-rank.ts';
import { digits, listOf, median, oneOf, printTable } from './table.ts';

interface Options {
  readonly ranks: number[];
  readonly sizes: number[];
  readonly iterations: number;
  readonly repetitions: number;
  readonly json: true | undefined;
}

/** One line of the table. */
interface Result {
  readonly ranks: number;
  readonly payloadBytes: number;
  /** 0 is multicast. */
  readonly reducers: number;
  readonly micros: number;
}

const SIZES = Array.from({ length: 7 }, (_, power) => 256 * 4 ** power);
/** Payloads above this get fewer iterations. */
const SHORT_RUN_BYTES = 16_384;
const MIN_ITERATIONS = 10;
/** As a cluster gives its chips. */
const NODE_ARGUMENTS = ['--min-semi-space-size=16', '--initial-old-space-size=512'];

/** The processes of one group. */
class Group {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(nats: string, ranks: number): Promise<Group> {
    const children = Array.from({ length: ranks }, (_, rank) => {
      const place: RankPlace = { nats, group: String(ranks), rank, ranks };
      const child = fork(
        packagePath('dist/test/bench/collective-rank.js'),
        [JSON.stringify(place)],
        {
          execArgv: NODE_ARGUMENTS,
          env: { ...process.env, [PARENT_VARIABLE]: '1' },
        },
      );
      return child;
    });
    await Promise.all(children.map(newsOf));
    return new Group(children);
  }

  /** Mean time of an exchange on rank 0, once every rank has finished and checked its sums. */
  async run(run: CollectiveRun): Promise<number> {
    const news = this.#children.map(newsOf);
    for (const child of this.#children) child.send(run);
    const [first] = await Promise.all(news);
    if (first?.kind !== 'done') throw new Error('a rank answers every run');
    return first.micros;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map((child) => {
        child.kill();
        return once(child, 'exit');
      }),
    );
  }
}

function newsOf(child: ChildProcess): Promise<RankNews> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a rank ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (news) => {
      child.off('exit', onExit);
      resolve(news as RankNews);
    });
  });
}

async function measure(group: Group, ranks: number, options: Options): Promise<Result[]> {
  const reducerCounts = [...new Set([0, 1, 2, ranks])];
  const results: Result[] = [];
  for (const payloadBytes of options.sizes) {
    const scale = Math.min(1, SHORT_RUN_BYTES / payloadBytes);
    const iterations = Math.max(MIN_ITERATIONS, Math.round(options.iterations * scale));
    const samples = reducerCounts.map((): number[] => []);
    for (let repetition = 0; repetition < options.repetitions; repetition++) {
      for (const [index, reducers] of reducerCounts.entries()) {
        samples[index]!.push(await group.run({ payloadBytes, reducers, iterations }));
      }
    }
    reducerCounts.forEach((reducers, index) => {
      results.push({ ranks, payloadBytes, reducers, micros: median(samples[index]!) });
    });
  }
  return results;
}

function nameOf(reducers: number): string {
  return reducers === 0 ? 'multicast' : `direct ${reducers}`;
}

/** Bandwidths as nccl-tests define them: what the caller sees, and what a link would have to carry. */
function printResults(results: readonly Result[]): void {
  printTable(
    results.map(({ ranks, payloadBytes, reducers, micros }) => {
      const algorithmBandwidth = payloadBytes / micros / 1000;
      const busBandwidth = (algorithmBandwidth * 2 * (ranks - 1)) / ranks;
      return {
        ...{ ranks, 'size (B)': payloadBytes, 'count (elements)': payloadBytes / 4 },
        ...{ type: 'float', redop: 'sum', algorithm: nameOf(reducers) },
        'time (us)': digits(micros, 4),
        'algbw (GB/s)': digits(algorithmBandwidth, 3),
        'busbw (GB/s)': digits(busBandwidth, 3),
      };
    }),
  );
}

/** The winner of every size, and how much longer the next one takes. */
function printFastest(results: readonly Result[]): void {
  const isFastest = (one: Result): boolean => one === contestants(results, one)[0];
  printTable(
    results.filter(isFastest).map((fastest) => {
      const { ranks, payloadBytes, reducers, micros } = fastest;
      const next = contestants(results, fastest)[1]!;
      return {
        ...{ ranks, 'size (B)': payloadBytes, fastest: nameOf(reducers) },
        'time (us)': digits(micros, 4),
        next: nameOf(next.reducers),
        'takes longer by (%)': Math.round(100 * (next.micros / micros - 1)),
      };
    }),
  );
}

/** Results of the same ranks and size, the fastest first. */
function contestants(results: readonly Result[], { ranks, payloadBytes }: Result): Result[] {
  return results
    .filter((other) => other.ranks === ranks && other.payloadBytes === payloadBytes)
    .sort((a, b) => a.micros - b.micros);
}

function payloadBytes(text: string): number {
  return Math.ceil(wholeNumber(4)(text) / 4) * 4;
}

const options = new Command('bench:collectives')
  .option('--ranks <list>', 'numbers of ranks', listOf(oneOf([2, 4, 8])), [2, 4, 8])
  .option('--sizes <list>', 'payloads in bytes', listOf(payloadBytes), SIZES)
  .option('--iterations <count>', 'timed exchanges of small payloads', wholeNumber(1), 200)
  .option('--repetitions <count>', 'runs to take the median of', wholeNumber(1), 3)
  .option('--json', 'print JSON')
  .parse()
  .opts<Options>();
const broker = await startBroker({ binary: await findNatsServer() });
const results: Result[] = [];
for (const ranks of options.ranks) {
  const group = await Group.start(broker.url, ranks);
  results.push(...(await measure(group, ranks, options)));
  await group.stop();
}
await broker.stop();
if (options.json) console.log(JSON.stringify(results));
else {
  printResults(results);
  console.log();
  printFastest(results);
}
