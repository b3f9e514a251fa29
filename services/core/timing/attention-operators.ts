import type { LayerGroup } from '../architecture/architecture.ts';
import type { KernelParameters } from './calibration-model.ts';
import { addOverlapped, type Operator } from './operator.ts';
import { localKvElements, localKvHeads } from './sharding.ts';

const MICROS = 1e-6;
const ACTIVATION_BYTES = 2;

/** What the attention of a group of layers costs on one chip. */
export interface AttentionOptions {
  readonly group: LayerGroup;
  /** Layers on the path of a step. */
  readonly times: number;
  readonly tp: number;
  readonly kvBytes: number;
  readonly kernels: KernelParameters;
  readonly rates: AttentionRates;
}

/** What attention achieves on a chip. */
export interface AttentionRates {
  readonly flopsPerSecond: number;
  readonly joulesPerFlop: number;
  readonly memoryBytesPerSecond: number;
  /** Of reading keys and values to decode. */
  readonly readBytesPerSecond: number;
  /** Of starting on a sequence to decode, for each KV head; see `startFlops`. */
  readonly startSeconds: number;
  /** Of a cached token, for each KV head. */
  readonly tokenSeconds: number;
}

/** Attention of prompt tokens: compute by the pairs, and passes over what it reads and writes. */
export function makeContextAttention(options: AttentionOptions): Operator {
  const { group, times, tp, kvBytes, kernels, rates } = options;
  const { overheadMicros, passes } = kernels.contextAttention;
  const sizes = sizesOf(group, tp);
  const kvElements = localKvElements(group, tp);
  const bytesPerToken =
    ACTIVATION_BYTES * sizes.queryElements * 2 + kvElements * (ACTIVATION_BYTES + kvBytes);
  const overheadSeconds = overheadMicros * MICROS;
  return {
    name: 'context_attention',
    addTo(cost, { prefillTokens, prefillPairs, prefillCachedTokens }) {
      if (prefillTokens === 0) return;
      const pairs = prefillPairs + prefillTokens * group.crossTokens;
      const flops = pairs * sizes.expandedFlopsPerPair;
      const bytes =
        passes * bytesPerToken * prefillTokens + prefillCachedTokens * kvElements * kvBytes;
      cost.computeSeconds += (times * flops) / rates.flopsPerSecond;
      cost.memorySeconds += (times * bytes) / rates.memoryBytesPerSecond;
      cost.overheadSeconds += times * overheadSeconds;
      cost.computeJoules += times * flops * rates.joulesPerFlop;
      cost.flops += times * flops;
      cost.memoryBytes += times * bytes;
    },
  };
}

/** Attention of one new token a sequence: it streams the keys and values of all that came before. */
export function makeGenerationAttention(options: AttentionOptions): Operator {
  const { group, times, tp, kvBytes, kernels, rates } = options;
  const sizes = sizesOf(group, tp);
  const kvBytesPerToken = localKvElements(group, tp) * kvBytes;
  const overheadSeconds = kernels.generationAttention.overheadMicros * MICROS;
  const startSeconds = localKvHeads(group, tp) * rates.startSeconds;
  const tokenSeconds = sharesKeys(group) ? localKvHeads(group, tp) * rates.tokenSeconds : 0;
  return {
    name: 'generation_attention',
    addTo(cost, { decodeSequences, decodeContextTokens }) {
      if (decodeSequences === 0) return;
      const flops = decodeContextTokens * sizes.cachedFlopsPerPair;
      const bytes = decodeContextTokens * kvBytesPerToken;
      addOverlapped(
        cost,
        times * Math.max(flops / rates.flopsPerSecond, decodeContextTokens * tokenSeconds),
        (times * bytes) / rates.readBytesPerSecond,
      );
      cost.computeSeconds += times * decodeSequences * startSeconds;
      cost.overheadSeconds += times * overheadSeconds;
      cost.computeJoules += times * flops * rates.joulesPerFlop;
      cost.flops += times * flops;
      cost.memoryBytes += times * bytes;
    },
  };
}

/** Where each query head has keys of its own, kernels have no tiles of queries to fill. */
function sharesKeys({ attention }: LayerGroup): boolean {
  return attention.kind === 'latent' || attention.heads > attention.kvHeads;
}

/**
 * Latent attention expands keys and values for prompts, and absorbs the expansion into queries and
 * outputs for decoding, where it works on the compressed vector.
 */
function sizesOf({ attention }: LayerGroup, tp: number) {
  const heads = attention.heads / tp;
  if (attention.kind === 'grouped') {
    const flopsPerPair = 4 * heads * attention.headDim;
    return {
      queryElements: heads * attention.headDim,
      expandedFlopsPerPair: flopsPerPair,
      cachedFlopsPerPair: flopsPerPair,
    };
  }
  const { nopeDim, ropeDim, valueDim, kvRank } = attention;
  return {
    queryElements: heads * (nopeDim + ropeDim),
    expandedFlopsPerPair: 2 * heads * (nopeDim + ropeDim + valueDim),
    cachedFlopsPerPair: 2 * heads * (2 * kvRank + ropeDim),
  };
}
