import type { ClusterSnapshot, SohuClient } from '../../client/index.ts';

const ANSWER_TIMEOUT_MS = 5_000;

/** Every engine of the cluster at a glance, by name. Fails with an RpcError where one does not answer. */
export async function askEngines(
  { telemetry }: SohuClient,
  signal: AbortSignal,
): Promise<readonly ClusterSnapshot[]> {
  const options = { signal, timeoutMs: ANSWER_TIMEOUT_MS };
  const servers = await telemetry.servers();
  // A broker may allow the question and not the search for who answers.
  if (servers.length === 0) return [await telemetry.snapshot(options)];
  const engines = await Promise.all(
    servers.map((serverId) => telemetry.snapshot({ ...options, serverId })),
  );
  return engines.toSorted((a, b) => a.engine.localeCompare(b.engine, 'en', { numeric: true }));
}
