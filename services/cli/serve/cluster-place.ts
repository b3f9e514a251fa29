import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { nkeyOption } from './cluster-options.ts';
import { pickCluster } from './pick-clusters.ts';

export interface PlaceOptions {
  readonly cluster: string | undefined;
  readonly nats: string | undefined;
  readonly natsNkeyFile: string | undefined;
}

/** Where a cluster is reached. */
export interface ClusterPlace {
  readonly natsUrl: string;
  /** As whom to speak to a broker that asks for a key. */
  readonly nkeyFile?: string | undefined;
  readonly cluster: string;
}

const DEFAULT_CLUSTER = 'sohu';

/** For commands that look at a cluster, here or elsewhere. */
export function addPlaceOptions(command: Command): Command {
  return command
    .option('--cluster <name>', 'of the clusters that run here, or behind --nats')
    .option('--nats <url>', 'its broker (default: that of a cluster of this machine)')
    .addOption(nkeyOption());
}

/** Throws an InvalidArgumentError where no such cluster, or more than one, runs here. */
export function placeOf({ cluster, nats, natsNkeyFile }: PlaceOptions): ClusterPlace {
  if (nats !== undefined) {
    return { natsUrl: nats, nkeyFile: natsNkeyFile, cluster: cluster ?? DEFAULT_CLUSTER };
  }
  const record = pickCluster(cluster);
  if (record !== undefined) return { natsUrl: record.natsUrl, cluster: record.cluster };
  throw new InvalidArgumentError(
    'no cluster runs on this machine: start one with `sohu up`, or name its broker with --nats',
  );
}
