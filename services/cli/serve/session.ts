import { type ServerInfo, SohuClient } from '../../client/index.ts';
import type { ServingOptions } from '../../runtime/options/serving-options.ts';
import { findRunningClusters, type WantedCluster } from '../../runtime/state/cluster-records.ts';
import { type StartOptions, startCluster } from './start-cluster.ts';

/** A cluster to work with, and what it takes to leave it. */
export interface Session {
  readonly client: SohuClient;
  /** The model's files, as absolute paths. */
  readonly files: ModelFiles;
  /** Resolves when a cluster that was started for this session breaks. */
  readonly failed: Promise<Error>;
  /** Stops the cluster where it was started for this session. */
  close(): Promise<void>;
}

export type ModelFiles = Pick<ServingOptions, 'model' | 'tokenizer'>;

const ANSWER_TIMEOUT_MS = 2_000;

/** A coordinator on this computer is back within seconds, or was stopped on purpose. */
const RESUME = { patienceMs: 10_000 };

/** Joins a cluster that runs and is as wanted, or starts one. */
export async function openSession(wanted: WantedCluster, start: StartOptions): Promise<Session> {
  const joined = await joinCluster(wanted);
  return joined === undefined ? startSession(start) : sessionOf(joined);
}

/** A session with a cluster that ends without it. */
export function sessionOf({ client, files }: Pick<Session, 'client' | 'files'>): Session {
  return { client, files, failed: new Promise(() => {}), close: () => client.close() };
}

/** A cluster that is recorded but does not answer is passed over. */
async function joinCluster(
  wanted: WantedCluster,
): Promise<Pick<Session, 'client' | 'files'> | undefined> {
  for (const { natsUrl, cluster, ...files } of findRunningClusters(wanted)) {
    const client = await SohuClient.connect(natsUrl, { cluster, resume: RESUME }).catch(
      () => undefined,
    );
    if (client === undefined) continue;
    if ((await askServer(client)) !== undefined) return { client, files };
    await client.close();
  }
  return undefined;
}

function askServer(client: SohuClient): Promise<ServerInfo | undefined> {
  return client.serverInfo({ timeoutMs: ANSWER_TIMEOUT_MS }).catch(() => undefined);
}

async function startSession(start: StartOptions): Promise<Session> {
  const cluster = await startCluster(start);
  const { natsUrl, failed, serving: files } = cluster;
  try {
    const client = await SohuClient.connect(natsUrl, {
      cluster: cluster.cluster,
      resume: RESUME,
    });
    const close = async (): Promise<void> => {
      await client.close();
      await cluster.stop();
    };
    return { client, files, failed, close };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
