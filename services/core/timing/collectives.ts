import type { AllReduceParameters, KernelParameters } from './calibration-model.ts';
import type { ChipRates } from './chip-rates.ts';

const MICROS = 1e-6;

/** Latency and inverse bandwidth of one way to communicate: seconds + secondsPerByte × bytes. */
interface Line {
  readonly seconds: number;
  readonly secondsPerByte: number;
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
): CollectivePricer {
  if (size === 1) {
    return { allReduceSeconds: () => 0, allReduceSentBytes: () => 0, allGatherSeconds: () => 0 };
  }
  const local = Math.min(size, rates.maxChipsPerServer);
  const servers = Math.ceil(size / local);
  const lines = allReduceLines(rates, kernels, local);
  const network = betweenServers(rates, kernels, { local, servers });
  const part = (local - 1) / local;
  const gather = lines.at(-1)!;
  return {
    allReduceSeconds: (bytes) =>
      bytes === 0 ? 0 : cheapest(lines, bytes) + network.seconds + network.secondsPerByte * bytes,
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
function allReduceLines(
  rates: ChipRates,
  { allReduce }: KernelParameters,
  size: number,
): readonly Line[] {
  if (size === 1) return [{ seconds: 0, secondsPerByte: 0 }];
  const bandwidth = localBandwidth(rates, size);
  const twice = (2 * (size - 1)) / size;
  const line = ({ latencyMicros, efficiency }: AllReduceParameters, factor: number): Line => ({
    seconds: latencyMicros * MICROS,
    secondsPerByte: factor / (bandwidth * efficiency),
  });
  if (rates.topology === 'ring' || rates.topology === 'pcie') {
    const hops = 2 * (size - 1);
    const { latencyMicros } = allReduce.oneShot;
    return [line({ ...allReduce.pipelined, latencyMicros: hops * latencyMicros }, twice)];
  }
  const inSwitch = rates.reducesInNetwork ? Math.min(twice, 1 + 1 / size) : twice;
  return [
    line(allReduce.oneShot, size - 1),
    line(allReduce.twoShot, twice),
    line(allReduce.pipelined, inSwitch),
  ];
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
  { allReduce }: KernelParameters,
  { local, servers }: { readonly local: number; readonly servers: number },
): Line {
  if (servers === 1) return { seconds: 0, secondsPerByte: 0 };
  const hops = 2 * (servers - 1);
  return {
    seconds: hops * allReduce.twoShot.latencyMicros * MICROS,
    secondsPerByte:
      hops / servers / local / (networkBytesPerSecond * allReduce.pipelined.efficiency),
  };
}

function cheapest(lines: readonly Line[], bytes: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const { seconds, secondsPerByte } of lines) {
    best = Math.min(best, seconds + secondsPerByte * bytes);
  }
  return best;
}
