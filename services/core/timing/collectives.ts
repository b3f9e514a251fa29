import {
  type AllReduceChoice,
  type AllReduceParameters,
  allReduceWaysOf,
  type KernelParameters,
} from './calibration-model.ts';
import type { ChipRates } from './chip-rates.ts';

const MICROS = 1e-6;

/** Latency and inverse bandwidth of one way to communicate: seconds + secondsPerByte × bytes. */
interface Line {
  readonly seconds: number;
  readonly secondsPerByte: number;
}

/** A way to all-reduce, and the largest payload that an engine which goes by size takes it for. */
interface Way extends Line {
  readonly maxBytes: number;
}

/** Prices the exchanges of a group of chips; everything but the payload is worked out once. */
export interface CollectivePricer {
  /** Seconds to add a payload of that many bytes over the group, and leave the sum on every chip. */
  allReduceSeconds(bytes: number): number;
  /** Bytes that a chip sends for it over its links. */
  allReduceSentBytes(bytes: number): number;
  /** Seconds to bring the parts of a payload of that many bytes together on every chip. */
  allGatherSeconds(bytes: number): number;
}

/** For `size` chips that share a model's layers. */
export function makeCollectivePricer(
  rates: ChipRates,
  kernels: KernelParameters,
  size: number,
  choice: AllReduceChoice = 'fastest',
): CollectivePricer {
  if (size === 1) {
    return { allReduceSeconds: () => 0, allReduceSentBytes: () => 0, allGatherSeconds: () => 0 };
  }
  const local = Math.min(size, rates.maxChipsPerServer);
  const servers = Math.ceil(size / local);
  const ways = allReduceWays(rates, kernels, { size: local, choice });
  const goesBySize = choice !== 'fastest' && rates.topology === 'switched';
  const pick = goesBySize ? firstThatFits : cheapest;
  const network = betweenServers(rates, kernels, { local, servers });
  const part = (local - 1) / local;
  const gather = ways.at(-1)!;
  return {
    allReduceSeconds: (bytes) =>
      bytes === 0 ? 0 : pick(ways, bytes) + network.seconds + network.secondsPerByte * bytes,
    allReduceSentBytes: (bytes) => 2 * part * bytes,
    allGatherSeconds: (bytes) =>
      bytes === 0
        ? 0
        : gather.seconds +
          (part * bytes) / localBandwidth(rates, local) +
          network.seconds +
          network.secondsPerByte * bytes,
  };
}

/**
 * Ways to all-reduce inside a server of p chips, for a payload of s bytes and a link of B bytes/s:
 * one shot (p − 1) s / B, two shots 2 (p − 1)/p s / B, pipelined the same or, where the switch
 * adds, (1 + 1/p) s / B (multicast and reduction in the switch). A ring or PCIe has the last alone, with a
 * latency for each of its 2 (p − 1) hops.
 */
function allReduceWays(
  rates: ChipRates,
  kernels: KernelParameters,
  { size, choice }: { readonly size: number; readonly choice: AllReduceChoice },
): readonly Way[] {
  if (size === 1) return [{ seconds: 0, secondsPerByte: 0, maxBytes: Number.POSITIVE_INFINITY }];
  const { oneShot, twoShot, pipelined } = allReduceWaysOf(kernels, size);
  const bandwidth = localBandwidth(rates, size);
  const twice = (2 * (size - 1)) / size;
  const way = (
    { latencyMicros, efficiency }: AllReduceParameters,
    factor: number,
    maxBytes: number | undefined = Number.POSITIVE_INFINITY,
  ): Way => ({
    seconds: latencyMicros * MICROS,
    secondsPerByte: factor / (bandwidth * efficiency),
    maxBytes,
  });
  if (rates.topology === 'ring' || rates.topology === 'pcie') {
    const hops = 2 * (size - 1);
    const efficiency = rates.topology === 'pcie' ? pcieEfficiency(size) : pipelined.efficiency;
    return [way({ efficiency, latencyMicros: hops * oneShot.latencyMicros }, twice)];
  }
  const inSwitch = rates.reducesInNetwork ? Math.min(twice, 1 + 1 / size) : twice;
  const { oneShotBytes, twoShotBytes } = sizeLimits(rates, size, choice);
  return [
    way(oneShot, size - 1, oneShotBytes),
    way(twoShot, twice, twoShotBytes),
    way(pipelined, inSwitch),
  ];
}

/**
 * Up to which payload TensorRT-LLM takes which kernel of its own (allreducePlugin.cpp). Where tables of measurements
 * choose, groups of two and four go by it as well: at these payloads their measured times jump. Nobody chose sizes
 * for links without a switch: there the fastest way is taken.
 */
function sizeLimits({ topology }: ChipRates, size: number, choice: AllReduceChoice) {
  if (topology !== 'switched') return {};
  if (size <= 2) return { oneShotBytes: 16e6, twoShotBytes: 0 };
  if (choice === 'fastest') return size <= 4 ? { oneShotBytes: 48e3 } : {};
  return {
    oneShotBytes: size <= 4 ? 1e6 : 0.5e6,
    twoShotBytes: choice === 'by_size' ? 8e6 : 0,
  };
}

/**
 * Share of a PCIe link's rate that a ring sustains whose transfers pass through the processors' memory: 35 of 64 GB/s
 * by four chips, 28 by eight (NVIDIA/nccl issue 1639, PCIe 5.0 without peer access).
 */
function pcieEfficiency(chips: number): number {
  return chips <= 4 ? 35 / 64 : 28 / 64;
}

/** A mesh has a link for each pair: a part of the group uses a part of the links. */
function localBandwidth(rates: ChipRates, size: number): number {
  const { linkBytesPerSecond, topology, maxChipsPerServer } = rates;
  return topology === 'mesh'
    ? (linkBytesPerSecond * (size - 1)) / (maxChipsPerServer - 1)
    : linkBytesPerSecond;
}

/** Each chip exchanges its part of the payload with its peers of the other servers, in a ring. */
function betweenServers(
  { networkBytesPerSecond }: ChipRates,
  kernels: KernelParameters,
  { local, servers }: { readonly local: number; readonly servers: number },
): Line {
  if (servers === 1) return { seconds: 0, secondsPerByte: 0 };
  const { twoShot, pipelined } = allReduceWaysOf(kernels, local);
  const hops = 2 * (servers - 1);
  return {
    seconds: hops * twoShot.latencyMicros * MICROS,
    secondsPerByte: hops / servers / local / (networkBytesPerSecond * pipelined.efficiency),
  };
}

function cheapest(ways: readonly Way[], bytes: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const { seconds, secondsPerByte, maxBytes } of ways) {
    if (bytes <= maxBytes) best = Math.min(best, seconds + secondsPerByte * bytes);
  }
  return best;
}

function firstThatFits(ways: readonly Way[], bytes: number): number {
  for (const { seconds, secondsPerByte, maxBytes } of ways) {
    if (bytes <= maxBytes) return seconds + secondsPerByte * bytes;
  }
  return Number.POSITIVE_INFINITY;
}
