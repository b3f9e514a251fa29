import { launchCluster, type RunningCluster } from '../../runtime/cluster/launch.ts';
import type { DrawnWorkloadOptions } from '../../runtime/options/drawn-workload-options.ts';
import type { GatewayOptions } from '../../runtime/options/gateway-options.ts';
import type { ClusterLogs } from '../../runtime/state/cluster-logs.ts';
import { formatMs } from '../terminal/format.ts';
import type { Progress } from '../terminal/progress.ts';
import type { ClusterOptions } from './cluster-options.ts';

export interface StartOptions {
  readonly options: ClusterOptions;
  /** How HTTP is served; not at all where it is absent. */
  readonly gateway?: GatewayOptions;
  /** A load that the coordinator offers itself. */
  readonly offer?: DrawnWorkloadOptions;
  /** Where what its processes write is kept; nowhere where it is absent. */
  readonly logs?: ClusterLogs | undefined;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Starts a cluster, and shows how far it is. */
export async function startCluster(start: StartOptions): Promise<RunningCluster> {
  const { options, gateway, offer, logs, signal, progress } = start;
  const startMs = performance.now();
  try {
    const onProgress = progress.launch.bind(progress);
    const cluster = await launchCluster({ ...options, gateway, offer, logs, signal, onProgress });
    progress.note(`The cluster was ready after ${formatMs(performance.now() - startMs)}.`);
    return cluster;
  } finally {
    progress.closeLine();
  }
}
