import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { Pace } from '../../cluster/pacer.ts';
import { ModelError } from '../../core/support/errors.ts';
import { memberName, oneSeatEach } from '../broker/cluster-keys.ts';
import { findNatsServer } from '../broker/find-nats-server.ts';
import { type Broker, startBroker } from '../broker/nats-server.ts';
import type { LoadReport } from '../load/load-report.ts';
import type { DrawnWorkloadOptions } from '../options/drawn-workload-options.ts';
import {
  checkExposure,
  type GatewayOptions,
  gatewayArguments,
} from '../options/gateway-options.ts';
import type { ResolvedServing } from '../options/resolve-serving.ts';
import type { ServingOptions } from '../options/serving-options.ts';
import { packagePath } from '../package-info.ts';
import { spawnNode } from '../process/spawn-node.ts';
import type { ClusterLogs } from '../state/cluster-logs.ts';
import { AddressUnavailableError } from './address-unavailable-error.ts';
import { checkServable } from './check-servable.ts';
import { ClusterProcesses } from './cluster-processes.ts';
import { CoordinatorNews } from './coordinator-news.ts';
import { createEphemeralKeys, type EphemeralKeys } from './ephemeral-keys.ts';
import type { GatewayMessage } from './gateway-messages.ts';
import { type ReadyMessage, startCoordinator } from './start-coordinator.ts';
import { startGrpc } from './start-grpc.ts';

export interface LaunchOptions extends ServingOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Path of the broker's program; undefined looks for one. */
  readonly natsServer: string | undefined;
  /** How HTTP is served; not at all where it is absent. */
  readonly gateway?: GatewayOptions | undefined;
  /** Port of gRPC, 0 for a free one; undefined serves none. */
  readonly grpcPort?: number | undefined;
  /** A load that the coordinator offers itself; none where it is absent. */
  readonly offer?: DrawnWorkloadOptions | undefined;
  /** Where what the processes write is kept; nowhere where it is absent. */
  readonly logs?: ClusterLogs | undefined;
  readonly onProgress: (progress: LaunchProgress) => void;
  /** Stops the launch, which then throws the signal's reason. */
  readonly signal: AbortSignal;
}

export type LaunchProgress =
  | { readonly kind: 'note'; readonly sentence: string }
  /** How much of all shards is loaded, from 0 to 1. */
  | { readonly kind: 'loading'; readonly fraction: number };

/** A cluster that serves, as processes of this one. */
export interface RunningCluster {
  /** The options that it serves with, their paths absolute. */
  readonly serving: ResolvedServing;
  readonly cluster: string;
  readonly natsUrl: string;
  /** Where the broker's own pages are. */
  readonly monitoringUrl: string;
  /** host:port of the coordinator's metrics. */
  readonly metricsAddress: string;
  /** Base URL of the gateway; undefined where there is none. */
  readonly gatewayUrl: string | undefined;
  /** host:port of gRPC; undefined where it is not served. */
  readonly grpcAddress: string | undefined;
  readonly kvBlocks: number;
  /** What the coordinator told last of its pace; undefined before it has run a step. */
  readonly pace: () => Pace | undefined;
  /** Resolves when the load that was to be offered has been served. */
  readonly loadReport: Promise<LoadReport>;
  /** Resolves when a process ends that nobody told to; the others must then be stopped. */
  readonly failed: Promise<Error>;
  /** Resolves when every process is gone; for `drainMs` before, open requests may finish. */
  stop(drainMs?: number): Promise<void>;
}

/**
 * glibc otherwise gives the pages of every frame back to the kernel, which has to clear them again.
 */
const CHIP_ENVIRONMENT = {
  MALLOC_TRIM_THRESHOLD_: '268435456',
  MALLOC_MMAP_THRESHOLD_: '268435456',
  MALLOC_TOP_PAD_: '16777216',
};

const GROUP = '0';
/** What the logs call the process that started the others. */
const SUPERVISOR = 'sohu';

/**
 * A chip lets go of several megabytes of frames a step, and a coordinator of a few objects a token. With
 * V8's own sizes that means a full collection every other step; with these, cheap collections of the
 * young generation do.
 */
export const HEAP_ARGUMENTS = ['--min-semi-space-size=16', '--initial-old-space-size=512'];

/**
 * Starts a broker, the chips and their coordinator on free ports, and resolves when they serve.
 * Refuses what cannot be served before it starts anything; whatever goes wrong later, nothing is
 * left running.
 */
export async function launchCluster(options: LaunchOptions): Promise<RunningCluster> {
  const { natsServer, signal, onProgress, gateway, logs } = options;
  if (gateway !== undefined) checkExposure(gateway);
  const serving = checkServable(options);
  const binary = await findNatsServer({
    ...(natsServer !== undefined && { binary: natsServer }),
    report: (sentence) => onProgress({ kind: 'note', sentence }),
  });
  signal.throwIfAborted();
  const keys = createEphemeralKeys({
    ...{ cluster: options.cluster, group: GROUP },
    chips: chipProcesses(serving),
  });
  const broker = await startBroker({
    binary,
    authorization: keys.authorization,
    onLine: logs?.of('the broker'),
  }).catch((error) => {
    keys.remove();
    throw error;
  });
  const processes = new ClusterProcesses(broker, logs?.of(SUPERVISOR));
  const stop = (drainMs?: number): Promise<void> =>
    processes.stop(drainMs).finally(() => keys.remove());
  onProgress({ kind: 'note', sentence: startSentence(serving) });
  const shared = { broker, processes, keys };
  try {
    const grpcAddress = await startGrpc({ ...options, ...shared, port: options.grpcPort });
    const news = new CoordinatorNews();
    const { ready, gatewayUrl } = await startNodes({ options, serving, news, ...shared });
    const { kvBlocks, metricsAddress } = ready;
    const { url: natsUrl, monitoringUrl } = broker;
    const { cluster } = options;
    const { failed } = processes;
    const addresses = { natsUrl, monitoringUrl, metricsAddress, gatewayUrl, grpcAddress };
    const { loadReport } = news;
    const pace = (): Pace | undefined => news.pace;
    return { serving, cluster, ...addresses, kvBlocks, pace, loadReport, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Launch {
  readonly options: LaunchOptions;
  readonly serving: ResolvedServing;
  readonly broker: Broker;
  readonly processes: ClusterProcesses;
  readonly news: CoordinatorNews;
  readonly keys: EphemeralKeys;
}

/** What the processes said when they served. */
interface Started {
  readonly ready: ReadyMessage;
  readonly gatewayUrl: string | undefined;
}

/** The gateway listens before the model is loaded: an address that is taken is told at once. */
async function startNodes(launch: Launch): Promise<Started> {
  const { options, serving, broker, processes } = launch;
  const { cluster, signal } = options;
  const place = ['--nats', broker.url, '--cluster', cluster];
  const group = [...place, '--group', GROUP];
  signal.throwIfAborted();
  for (const ranks of chipProcesses(serving)) {
    processes.addChip(startChips(ranks, launch, group));
  }
  const coordinator = startCoordinator({
    ...{ ...launch, group: GROUP, place: group, nodeArgs: HEAP_ARGUMENTS, offer: options.offer },
    output: options.logs?.of('the coordinator') ?? 'ignore',
    onLoading: (fraction) => options.onProgress({ kind: 'loading', fraction }),
    onRestart: (reason) => {
      options.onProgress({ kind: 'note', sentence: capitalized(reason) });
      options.onProgress({ kind: 'note', sentence: 'It is started anew; open streams go on.' });
    },
  });
  const started = Promise.all([coordinator, startGateway(launch, place)]);
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    void processes.failed.then(reject);
  });
  const [ready, gatewayUrl] = await Promise.race([started, ended]);
  return { ready, gatewayUrl };
}

async function startGateway(
  { options, serving, processes, keys }: Launch,
  place: readonly string[],
): Promise<string | undefined> {
  const { gateway } = options;
  if (gateway === undefined) return undefined;
  const { model, tokenizer, weights } = serving;
  const beside = tokenizer === undefined ? [] : ['--tokenizer', tokenizer];
  const files = ['--model', model, '--weights', weights, ...beside];
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      const news = message as GatewayMessage;
      if (news.kind === 'listening') resolve(news.url);
      else if (news.reason === 'model') reject(new ModelError(news.message));
      else reject(new AddressUnavailableError(news.message));
    };
    processes.addHead(
      spawnNode({
        name: 'the gateway',
        entry: packagePath('dist/services/gateway/main.js'),
        args: [...place, ...files, ...gatewayArguments(gateway)],
        env: keys.environment(memberName({ kind: 'gateway' })),
        output: options.logs?.of('the gateway') ?? 'ignore',
        onMessage,
      }),
    );
  });
}

/**
 * The ranks of each chip process. Phantoms share one: their steps are short, and waking a process for
 * each of them takes longer than what they do.
 */
function chipProcesses({ tp, phantom }: ResolvedServing): readonly (readonly number[])[] {
  const seats = oneSeatEach(tp);
  return phantom === undefined ? seats : [seats.flat()];
}

function startChips(
  ranks: readonly number[],
  { options, serving, keys }: Launch,
  place: readonly string[],
) {
  const threads = Math.max(1, Math.floor(availableParallelism() / serving.tp));
  const member = memberName({ kind: 'chip', group: GROUP, seats: ranks });
  const name = ranks.length === 1 ? `chip ${ranks[0]}` : `chips ${ranks.join(', ')}`;
  return spawnNode({
    name,
    entry: packagePath('dist/services/worker/main.js'),
    args: [...place, '--rank', ranks.join(','), '--threads', String(threads)],
    nodeArgs: HEAP_ARGUMENTS,
    env: { ...CHIP_ENVIRONMENT, ...keys.environment(member) },
    output: options.logs?.of(name) ?? 'ignore',
  });
}

function startSentence({ tp, model, phantom }: ResolvedServing): string {
  const kind = phantom === undefined ? '' : `phantom ${phantom.chip} `;
  const chips = tp === 1 ? `one ${kind}chip and its` : `${tp} ${kind}chips and their`;
  return `Starting ${chips} coordinator for ${basename(model, '.json')}.`;
}

function capitalized(sentence: string): string {
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
}
