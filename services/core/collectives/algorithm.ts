/** How an all-reduce is carried out: in one hop, or in two over some reducers. */
export type AllReduceAlgorithm =
  | { readonly kind: 'multicast' }
  | { readonly kind: 'direct'; readonly reducers: readonly number[] };

/** Largest payload in bytes for which multicast is the faster one, by number of ranks. */
const MULTICAST_LIMIT_BYTES: Readonly<Record<number, number>> = {
  1: Number.POSITIVE_INFINITY,
  2: 1_024,
  4: 0,
  8: 0,
};

/** Payload in bytes above which a second reducer pays, by number of ranks; more hardly ever did. */
const ONE_REDUCER_LIMIT_BYTES: Readonly<Record<number, number>> = {
  2: 131_072,
  4: 131_072,
  8: 32_768,
};

/**
 * Chooses as NCCL does, by the number of ranks and the payload, at the switch-over points that `npm
 * run bench:collectives` measures. The reducers change from exchange to exchange, so that every
 * chip gets its share of the adding.
 */
export function chooseAlgorithm(
  ranks: number,
  payloadBytes: number,
  exchange: number,
): AllReduceAlgorithm {
  if (payloadBytes <= (MULTICAST_LIMIT_BYTES[ranks] ?? 0)) return { kind: 'multicast' };
  const count = payloadBytes > (ONE_REDUCER_LIMIT_BYTES[ranks] ?? 0) ? 2 : 1;
  const reducers = Array.from({ length: count }, (_, index) => (exchange * count + index) % ranks);
  return { kind: 'direct', reducers };
}
