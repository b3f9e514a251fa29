import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { type ClusterRecord, findRunningClusters } from '../../runtime/state/cluster-records.ts';
import { arrivalRate } from '../../sim/capacity/workload.ts';
import { EXIT_CODES } from '../terminal/errors.ts';
import { writeHtml } from '../terminal/html-output.ts';
import { Progress } from '../terminal/progress.ts';
import { listenForStop } from '../terminal/stop-requests.ts';
import { loadOf } from './bench-load.ts';
import { addBenchOptions, type BenchOptions } from './bench-options.ts';
import { pageOfBench } from './bench-page.ts';
import { type BenchRun, benchObject, benchText } from './bench-report.ts';
import { HttpTarget } from './http-target.ts';
import { LoadRun } from './load-run.ts';
import type { LoadTarget } from './load-target.ts';
import { type BrokerPlace, SdkTarget } from './sdk-target.ts';

const DEFAULT_CLUSTER = 'sohu';
const EXAMPLES = `Examples:
  sohu bench --isl 128 --osl 64 --request-rate 8 --num-prompts 200
  sohu bench --max-concurrency 16 --num-prompts 500 --goodput ttft:500 tpot:50
  sohu bench --base-url http://127.0.0.1:8000 --backend openai-chat --dataset-file prompts.jsonl
  sohu bench --backend sohu --trace-file azure-2023-conversation.csv --num-prompts 100
  sohu bench --cancellation-rate 0.2 --cancellation-delay 300 --json
`;
const NOTES = `
All times are host time. TTFT is from sending to the first token, ITL each gap between two
chunks, E2EL from sending to the last token, TPOT (E2EL − TTFT) / (tokens − 1). Requests are
sent when they are due, whatever became of earlier ones; those of sohu sim have the same
options and seed.`;

/** Adds `sohu bench`, which loads a server and measures what comes back. */
export function addBenchCommand(program: Command): void {
  addBenchOptions(
    program
      .command('bench')
      .description(
        'Load a server that speaks the OpenAI protocol, and measure it as clients see it.',
      )
      .addHelpText('before', EXAMPLES)
      .addHelpText('after', NOTES),
  ).action(bench);
}

async function bench(options: BenchOptions): Promise<void> {
  const requests = loadOf(options);
  const signal = listenForStop();
  const progress = new Progress();
  const target = await connect(options);
  try {
    const run = new LoadRun({
      target,
      requests,
      maxConcurrency: options.maxConcurrency,
      arrivalsPerSecond: arrivalRate(requests),
      goals: options.goodput,
      timeoutMs: 1000 * options.timeout,
      signal,
      onProgress: (share) => progress.advance('Requests', share),
    });
    const result = await run.run();
    progress.closeLine();
    print({ target, options, result });
    if (result.report.completed === 0) process.exitCode = EXIT_CODES.failed;
  } finally {
    progress.closeLine();
    await target.close();
  }
  signal.throwIfAborted();
}

function print(run: BenchRun): void {
  const text = run.options.json ? JSON.stringify(benchObject(run)) : benchText(run);
  process.stdout.write(`${text}\n`);
  writeHtml(run.options, () => pageOfBench(run));
}

async function connect(options: BenchOptions): Promise<LoadTarget> {
  const { backend, model, apiKey, temperature, ignoreEos } = options;
  if (backend === 'sohu') return SdkTarget.connect(brokerOf(options), { temperature, ignoreEos });
  const baseUrl = (options.baseUrl ?? gatewayOf(options)).replace(/\/+(v1\/?)?$/, '');
  const api = backend === 'openai-chat' ? 'chat' : 'completions';
  const fields = { temperature, ignore_eos: ignoreEos };
  return HttpTarget.connect({ baseUrl, api, apiKey, fields }, model);
}

function gatewayOf({ cluster }: BenchOptions): string {
  const { gatewayUrl } = runningCluster(cluster, 'base_url');
  if (gatewayUrl !== undefined) return gatewayUrl;
  throw new InvalidArgumentError(
    'base_url must be given: the cluster that runs here serves no HTTP',
  );
}

function brokerOf(options: BenchOptions): BrokerPlace {
  const { nats, natsNkeyFile: nkeyFile, cluster = DEFAULT_CLUSTER } = options;
  if (nats === undefined) return runningCluster(options.cluster, 'nats');
  return { natsUrl: nats, nkeyFile, cluster };
}

function runningCluster(cluster: string | undefined, field: string): ClusterRecord {
  const [record] = findRunningClusters({ ...(cluster !== undefined && { cluster }) });
  if (record !== undefined) return record;
  throw new InvalidArgumentError(
    `${field} must be given where no such cluster runs here: start one with \`sohu up\``,
  );
}
