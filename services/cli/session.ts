import { type ServerInfo, SohuClient } from '../client/index.ts';
import { findRunningClusters, type WantedCluster } from '../runtime/state/cluster-records.ts';
import { type StartOptions, startCluster } from './start-cluster.ts';

/** A cluster to work with, and what it takes to leave it. */
export interface Session {
  readonly client: SohuClient;
  /** Resolves when a cluster that was started for this session breaks. */
  readonly failed: Promise<Error>;
  /** Stops the cluster where it was started for this session. */
  close(): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 2_000;

/** Joins a cluster that runs and is as wanted, or starts one. */
export async function openSession(wanted: WantedCluster, start: StartOptions): Promise<Session> {
  const client = await joinCluster(wanted);
  if (client === undefined) return startSession(start);
  return { client, failed: new Promise(() => {}), close: () => client.close() };
}

/** A cluster that is recorded but does not answer is passed over. */
async function joinCluster(wanted: WantedCluster): Promise<SohuClient | undefined> {
  for (const { natsUrl, cluster } of findRunningClusters(wanted)) {
    const client = await SohuClient.connect(natsUrl, { cluster }).catch(() => undefined);
    if (client === undefined) continue;
    if ((await askServer(client)) !== undefined) return client;
    await client.close();
  }
  return undefined;
}

function askServer(client: SohuClient): Promise<ServerInfo | undefined> {
  return client.serverInfo({ timeoutMs: ANSWER_TIMEOUT_MS }).catch(() => undefined);
}

async function startSession(start: StartOptions): Promise<Session> {
  const cluster = await startCluster(start);
  const { natsUrl, failed } = cluster;
  try {
    const client = await SohuClient.connect(natsUrl, { cluster: cluster.cluster });
    const close = async (): Promise<void> => {
      await client.close();
      await cluster.stop();
    };
    return { client, failed, close };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
