import type { Command } from 'commander';
import { SohuClient } from '../../client/index.ts';
import { readApiKeys } from '../../gateway/access/read-api-keys.ts';
import type { RunningCluster } from '../../runtime/cluster/launch.ts';
import { addGatewayOptions, type GatewayOptions } from '../../runtime/options/gateway-options.ts';
import { portNumber } from '../../runtime/options/option-values.ts';
import { addConfiguration } from '../../runtime/options/programs.ts';
import { applySettings } from '../../runtime/options/settings.ts';
import { isRunning } from '../../runtime/process/process-identity.ts';
import { type ClusterLogs, openClusterLogs } from '../../runtime/state/cluster-logs.ts';
import { readStopOrder, recordCluster } from '../../runtime/state/cluster-records.ts';
import { StopRequest } from '../terminal/errors.ts';
import { Progress } from '../terminal/progress.ts';
import { listenForStop, untilStopped } from '../terminal/stop-requests.ts';
import { chipTable } from './chip-table.ts';
import { clusterAddresses } from './cluster-addresses.ts';
import { addClusterOptions, type ClusterOptions } from './cluster-options.ts';
import { findStarter, type Starter, startDetached } from './detach.ts';
import { fallenBehind, paceSentence } from './pace-text.ts';
import { phantomStory } from './phantom-story.ts';
import { startCluster } from './start-cluster.ts';

interface UpOptions extends ClusterOptions, GatewayOptions {
  readonly demo: boolean;
  readonly detach: true | undefined;
}

interface Serving {
  readonly cluster: RunningCluster;
  readonly client: SohuClient;
  readonly options: UpOptions;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Who waits for a cluster in the background to serve. */
  readonly starter: Starter | undefined;
}

const EXAMPLES = `Examples:
  sohu up
  sohu up --model stories260K.bin --precision f32 --tp 4
  sohu up --kv-cache-dtype fp8 --max-num-seqs 64 --no-demo
  sohu up --port 0 --api-key-file keys.json
  sohu up --weights phantom --model llama-3-70b --chip h100
  sohu up --detach              serve in the background: see sohu ps, sohu logs and sohu down
`;
const DEMO_PROMPT = 'Once upon a time';
const DEMO_TOKENS = 128;
const PACE_INTERVAL_MS = 10_000;

/** Adds `sohu up`, which serves a cluster. */
export function addUpCommand(program: Command): void {
  const command = addGatewayOptions(addClusterOptions(program.command('up')))
    .description('Start a cluster of emulated chips and serve until Ctrl-C.')
    .option('--grpc-port <number>', 'also serve gRPC there (0: a free port)', portNumber)
    .option('--no-demo', 'tell no story first')
    .option('-d, --detach', 'serve in the background until `sohu down`')
    .addHelpText('before', EXAMPLES)
    .action(up);
  addConfiguration(command).hook('preAction', () =>
    applySettings(command, ['coordinator', 'gateway'], process.env),
  );
}

async function up(options: UpOptions): Promise<void> {
  // Also read by the gateway's process; here it can refuse them before anything starts.
  readApiKeys(options);
  const stopped = listenForStop();
  const progress = new Progress();
  const starter = findStarter();
  if (options.detach && starter === undefined) return startDetached(stopped);
  const signal = starter === undefined ? stopped : AbortSignal.any([stopped, starter.left]);
  const logs = openLogs(progress);
  const cluster = await startCluster({ options, gateway: options, logs, signal, progress });
  const forget = await record(cluster, progress);
  try {
    await serve(cluster, { options, signal, progress, starter });
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    // From here on, to be stopped is how it should end.
    if (!(reason instanceof StopRequest)) throw reason;
    progress.note('Stopping.');
  } finally {
    await cluster.stop(readStopOrder(process.pid));
    forget();
    const pace = cluster.pace();
    if (cluster.serving.phantom !== undefined && pace) progress.note(paceSentence(pace));
    logs?.close();
  }
}

async function serve(
  cluster: RunningCluster,
  rest: Omit<Serving, 'cluster' | 'client'>,
): Promise<void> {
  const client = await SohuClient.connect(cluster.natsUrl, { cluster: cluster.cluster });
  try {
    const broken = cluster.failed.then((error) => Promise.reject(error));
    await Promise.race([present({ ...rest, cluster, client }), broken]);
  } finally {
    await client.close();
  }
}

/** A cluster that cannot be recorded still serves those who know its address. */
async function record(cluster: RunningCluster, progress: Progress): Promise<() => void> {
  const { serving, natsUrl, gatewayUrl, grpcAddress, metricsAddress } = cluster;
  const addresses = { natsUrl, gatewayUrl, grpcAddress, metricsAddress };
  const startedAt = new Date().toISOString();
  const { pid } = process;
  try {
    const place = { cluster: cluster.cluster, pid, startedAt };
    return await recordCluster({ ...serving, ...addresses, ...place });
  } catch (error) {
    progress.note(`Other commands will not find this cluster: ${(error as Error).message}.`);
    return () => {};
  }
}

async function present(serving: Serving): Promise<never> {
  const { cluster, client, options, signal, progress, starter } = serving;
  if (options.demo && starter === undefined) await demonstrate(serving);
  const info = await client.serverInfo({ signal });
  const chips = chipTable(info.chips, process.stdout);
  const isPhantom = cluster.serving.phantom !== undefined;
  const story = isPhantom ? `\n${phantomStory(cluster)}\n` : '';
  const text = `${chips}\n\n${clusterAddresses(cluster, info.chips)}\n${story}`;
  const end = starter === undefined ? 'Ctrl-C' : '`sohu down`';
  process.stdout.write(text);
  if (isPhantom) watchPace(cluster, progress, signal);
  progress.note(`Serving ${info.modelName} (${info.precision}) until ${end}.`);
  starter?.tellServing(text);
  return untilStopped(signal);
}

/** Tells from time to time of a pace that is not held, and of the pace as a whole at the end. */
function watchPace(cluster: RunningCluster, progress: Progress, signal: AbortSignal): void {
  let before = cluster.pace();
  const timer = setInterval(() => {
    const now = cluster.pace();
    const warning = now && fallenBehind(before, now);
    if (warning !== undefined) progress.note(warning);
    before = now;
  }, PACE_INTERVAL_MS).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** Without logs, as on a full disk, a cluster serves all the same. */
function openLogs(progress: Progress): ClusterLogs | undefined {
  try {
    return openClusterLogs(process.pid, isRunning);
  } catch (error) {
    progress.note(`What the processes write is not kept: ${(error as Error).message}.`);
    return undefined;
  }
}

/** Streams a story; the cluster also serves where it cannot tell one. */
async function demonstrate({ client, signal, progress }: Serving): Promise<void> {
  const request = { prompt: DEMO_PROMPT, maxTokens: DEMO_TOKENS, temperature: 0 };
  process.stdout.write(DEMO_PROMPT);
  let failure = '';
  try {
    for await (const event of client.generateStream(request, { signal })) {
      if (event.kind === 'tokens') process.stdout.write(event.text);
    }
  } catch (error) {
    signal.throwIfAborted();
    failure = (error as Error).message;
  }
  process.stdout.write('\n\n');
  if (failure !== '') progress.note(`The story ends early: ${failure}.`);
}
