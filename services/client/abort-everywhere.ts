import type { CallOptions } from '../rpc/call-options.ts';
import type { RpcClient } from '../rpc/client.ts';
import { ABORT } from '../rpc/inference-methods.ts';
import { RpcError } from '../rpc/status.ts';

/** What ends requests wherever they are. */
export interface AbortAsker {
  readonly rpc: Pick<RpcClient, 'callUnary'>;
  /** Resolves to the ids of the cluster's engines. */
  readonly find: () => Promise<readonly string[]>;
}

/**
 * Ends requests by their names at every engine of a cluster, which do not know each other's: one of
 * them at once, all others as soon as they are found. Resolves to how many were still open; what an
 * engine ended before does not count again.
 */
export async function abortEverywhere(
  { rpc, find }: AbortAsker,
  requestIds: readonly string[],
  options: CallOptions,
): Promise<number> {
  const any = rpc.callUnary(ABORT, requestIds, options);
  const [first, engines] = await Promise.all([any, find()]);
  // Headers and trailers of many calls nobody could tell apart: those of the first are told.
  const { onHeader: _header, onTrailer: _trailer, ...others } = options;
  const counts = await Promise.all(
    engines.map((serverId) =>
      rpc.callUnary(ABORT, requestIds, { ...others, serverId }).catch(noneWhereGone),
    ),
  );
  return counts.reduce((sum, count) => sum + count, first);
}

/** An engine that has gone meanwhile holds no requests. */
function noneWhereGone(error: unknown): number {
  if (RpcError.from(error).code === 'UNAVAILABLE') return 0;
  throw error;
}
