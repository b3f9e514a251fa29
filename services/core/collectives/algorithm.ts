/** How an all-reduce is carried out. */
export type AllReduceAlgorithm = 'multicast' | 'direct';

/**
 * Largest payload in bytes for which multicast is the faster one, by number of chips: the switch-over points that
 * `npm run bench:collectives` measures.
 */
const MULTICAST_LIMIT_BYTES: Readonly<Record<number, number>> = {
  1: Number.POSITIVE_INFINITY,
  2: 32_768,
  4: 16_384,
  8: 8_192,
};

/** Chooses as NCCL does, by payload size and number of ranks. */
export function chooseAlgorithm(ranks: number, payloadBytes: number): AllReduceAlgorithm {
  return payloadBytes <= (MULTICAST_LIMIT_BYTES[ranks] ?? 0) ? 'multicast' : 'direct';
}
