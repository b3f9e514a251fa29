import { InvalidArgumentError } from '../../core/support/errors.ts';
import { type ClusterRecord, findRunningClusters } from '../../runtime/state/cluster-records.ts';

/**
 * The running clusters that a user means: those of that name, the one of that process, or any where
 * nothing is named. Throws an InvalidArgumentError that lists what runs where there is none so named.
 */
export function pickClusters(wanted: string | undefined): ClusterRecord[] {
  const running = findRunningClusters();
  if (wanted === undefined) return running;
  const found = running.filter(({ cluster, pid }) => cluster === wanted || String(pid) === wanted);
  if (found.length > 0) return found;
  const names = running.map(({ cluster, pid }) => `${cluster} (pid ${pid})`).join(', ');
  throw new InvalidArgumentError(
    `cluster must be one that runs, which ${names === '' ? 'none does' : `are: ${names}`}, not ${JSON.stringify(wanted)}`,
  );
}

/** The one cluster that a user means; undefined where none runs and none was named. */
export function pickCluster(wanted: string | undefined): ClusterRecord | undefined {
  const found = pickClusters(wanted);
  if (found.length <= 1) return found[0];
  const pids = found.map(({ cluster, pid }) => `${cluster} (pid ${pid})`).join(', ');
  throw new InvalidArgumentError(
    `cluster must be the name or the process of one of these, for ${found.length} run: ${pids}`,
  );
}
