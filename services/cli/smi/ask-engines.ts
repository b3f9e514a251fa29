import type { ClusterSnapshot, SohuClient } from '../../client/index.ts';

/** What an engine says of itself. */
export interface EngineAnswer {
  /** To ask the same engine again; undefined where the broker does not tell who answers. */
  readonly serverId: string | undefined;
  readonly snapshot: ClusterSnapshot;
}

const ANSWER_TIMEOUT_MS = 5_000;

/** Every engine of the cluster, by name. Fails with an RpcError where one does not answer. */
export async function askEngines(
  { telemetry }: SohuClient,
  signal: AbortSignal,
): Promise<readonly EngineAnswer[]> {
  const servers: readonly (string | undefined)[] = await telemetry.servers();
  const asked = servers.length === 0 ? [undefined] : servers;
  const answers = await Promise.all(
    asked.map(async (serverId) => {
      const server = serverId === undefined ? {} : { serverId };
      const options = { ...server, signal, timeoutMs: ANSWER_TIMEOUT_MS };
      return { serverId, snapshot: await telemetry.snapshot(options) };
    }),
  );
  const nameOf = ({ snapshot }: EngineAnswer): string => snapshot.engine;
  return answers.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true }));
}
