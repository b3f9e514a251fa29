import { ModelError } from '../../core/support/errors.ts';
import { memberName } from '../broker/cluster-keys.ts';
import type { Broker } from '../broker/nats-server.ts';
import type { CoordinatorMessage } from '../coordinator/coordinator-messages.ts';
import { type DrawnWorkloadOptions, offerArguments } from '../options/drawn-workload-options.ts';
import type { ResolvedServing } from '../options/resolve-serving.ts';
import { servingArguments } from '../options/serving-options.ts';
import { packagePath } from '../package-info.ts';
import type { ManagedProcess } from '../process/managed-process.ts';
import type { LineSink } from '../process/read-lines.ts';
import { spawnNode } from '../process/spawn-node.ts';
import type { ClusterProcesses } from './cluster-processes.ts';
import type { CoordinatorNews } from './coordinator-news.ts';
import type { EphemeralKeys } from './ephemeral-keys.ts';

export type ReadyMessage = Extract<CoordinatorMessage, { readonly kind: 'ready' }>;

export interface CoordinatorLaunch {
  readonly group: string;
  /** Arguments that say where the group is. */
  readonly place: readonly string[];
  readonly nodeArgs: readonly string[];
  readonly serving: ResolvedServing;
  /** A load that it offers itself; none where it is absent. */
  readonly offer?: DrawnWorkloadOptions | undefined;
  readonly broker: Broker;
  readonly processes: ClusterProcesses;
  readonly news: CoordinatorNews;
  readonly keys: EphemeralKeys;
  readonly output: LineSink | 'ignore';
  /** How much of all shards is loaded, from 0 to 1. */
  readonly onLoading: (fraction: number) => void;
  /** Hears why it is started anew. */
  readonly onRestart: (reason: string) => void;
}

/**
 * Starts the coordinator, and resolves when it serves. From then on it is started anew whenever it
 * ends: it finds its chips again, and its clients go on where they stand. One that offers a load is
 * not, since the load would begin anew.
 */
export function startCoordinator(launch: CoordinatorLaunch): Promise<ReadyMessage> {
  return new Promise((resolve, reject) => {
    const loading = new LoadingFraction(launch.serving.tp);
    /** What the latest one said when it served. */
    let ready: ReadyMessage | undefined;
    let isRestarted = false;
    const onMessage = (message: unknown): void => {
      const told = message as CoordinatorMessage;
      if (told.kind === 'ready') {
        ready = told;
        resolve(told);
      } else if (told.kind === 'refused') reject(new ModelError(told.message));
      else if (told.kind === 'loading') {
        if (!isRestarted) launch.onLoading(loading.update(told));
      } else launch.news.take(told);
    };
    const restart = (reason: string): ManagedProcess | undefined => {
      if (ready === undefined || launch.offer !== undefined) return undefined;
      const { metricsAddress } = ready;
      ready = undefined;
      isRestarted = true;
      launch.onRestart(reason);
      const port = metricsAddress.slice(metricsAddress.lastIndexOf(':') + 1);
      return spawnCoordinator(launch, ['--metrics-port', port], onMessage);
    };
    launch.processes.addHead(spawnCoordinator(launch, [], onMessage), restart);
  });
}

function spawnCoordinator(
  { group, place, nodeArgs, serving, offer, broker, keys, output }: CoordinatorLaunch,
  metrics: readonly string[],
  onMessage: (message: unknown) => void,
): ManagedProcess {
  const monitoring = ['--nats-monitoring', broker.monitoringUrl];
  const offered = offer === undefined ? [] : offerArguments(offer);
  return spawnNode({
    name: 'the coordinator',
    entry: packagePath('dist/services/coordinator/main.js'),
    args: [...place, ...monitoring, ...metrics, ...servingArguments(serving), ...offered],
    nodeArgs,
    env: keys.environment(memberName({ kind: 'coordinator', group })),
    output,
    onMessage,
  });
}

/** Adds up what the chips say that they have loaded. */
class LoadingFraction {
  readonly #fractions: number[];

  constructor(chips: number) {
    this.#fractions = new Array(chips).fill(0);
  }

  update(news: { readonly rank: number; readonly loaded: number; readonly total: number }): number {
    this.#fractions[news.rank] = news.loaded / news.total;
    return this.#fractions.reduce((sum, fraction) => sum + fraction, 0) / this.#fractions.length;
  }
}
