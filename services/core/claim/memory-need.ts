import { countParameters, kvElementsPerToken } from '../architecture/parameters.ts';
import { rangeOf } from '../hardware/figure.ts';
import { kvBytesOf, weightBytesOf } from '../timing/precision.ts';
import type { AuditLine, AuditSection } from './audit-line.ts';
import { type Claim, sourceOf } from './claim.ts';

/** What a claim asks of memory at one number of sequences in flight. */
export interface MemoryNeed {
  readonly sequences: number;
  readonly tpotSeconds: number;
  readonly bytesPerSecondPerChip: number;
  readonly bytesPerChip: number;
}

/** Share of the memory that weights, keys and values may fill (assumed). */
const USABLE_MEMORY = 0.95;
const CONCURRENCIES: readonly number[] = [256, 512, 1024, 2048];

/** Bytes that one token leaves in the KV cache, unsplit. */
export function kvBytesPerToken({ architecture, precision }: Claim): number {
  return kvElementsPerToken(architecture) * kvBytesOf(precision);
}

/** Bytes per second of the keys and values that output tokens read; independent of the batch. */
export function kvReadBytesPerSecond(claim: Claim): number {
  const { inputTokens, outputTokens } = claim;
  const context = inputTokens + (outputTokens - 1) / 2;
  return outputTokensPerSecond(claim) * context * kvBytesPerToken(claim);
}

/** The need at several batches, from one output's worth of sequences on: one prompt and its decodes. */
export function memoryNeeds(claim: Claim): readonly MemoryNeed[] {
  const least = Math.max(1, claim.outputTokens - 1);
  return [...new Set([least, ...CONCURRENCIES])]
    .sort((a, b) => a - b)
    .map((sequences) => memoryNeedAt(claim, sequences));
}

/** Sequences of full length that fit beside the weights. */
export function sequencesThatFit(claim: Claim): number {
  const { chip, chips, architecture, precision, inputTokens, outputTokens } = claim;
  const usable = chips * rangeOf(chip.memoryBytes).low * USABLE_MEMORY;
  const weights = countParameters(architecture).total * weightBytesOf(precision.weights);
  const request = kvBytesPerToken(claim) * (inputTokens + outputTokens);
  return Math.max(0, (usable - weights) / request);
}

/** Memory bandwidth and capacity that a claim takes. */
export function memorySection(claim: Claim): AuditSection {
  const { chip } = claim;
  const sources = [sourceOf(claim, 'tokens_per_second'), claim.architecture.source];
  return {
    title: 'Memory',
    lines: [
      {
        id: 'kv-bytes-per-token',
        name: 'Keys and values of a token',
        value: kvBytesPerToken(claim),
        unit: 'B',
        by: `layers × 2 × KV heads × width, ${claim.precision.kv}`,
        sources: [claim.architecture.source],
      },
      {
        id: 'kv-read',
        name: 'Keys and values that outputs read, server',
        value: kvReadBytesPerSecond(claim),
        unit: 'B/s',
        by: 'output tokens/s × mean context × bytes; at any batch',
        sources,
      },
      ...memoryNeeds(claim).flatMap((need) => needLines(need, sources)),
      {
        id: 'sequences-that-fit',
        name: `Sequences that fit ${claim.chips} × ${chip.name}`,
        value: sequencesThatFit(claim),
        unit: 'sequences',
        by: '(95 % of the memory − weights) ÷ keys and values of a whole request',
        sources: [chip.memoryBytes.source],
      },
    ],
  };
}

/** Every step reads the layers (all experts), the head, and each sequence's keys and values. */
function memoryNeedAt(claim: Claim, sequences: number): MemoryNeed {
  const { architecture, precision, chips } = claim;
  const { layers, vocabulary, total } = countParameters(architecture);
  const bytesPerWeight = weightBytesOf(precision.weights);
  const tpotSeconds = sequences / outputTokensPerSecond(claim);
  const stepBytes = (layers + vocabulary) * bytesPerWeight;
  const held = sequences * (claim.inputTokens + claim.outputTokens) * kvBytesPerToken(claim);
  return {
    sequences,
    tpotSeconds,
    bytesPerSecondPerChip: (stepBytes / tpotSeconds + kvReadBytesPerSecond(claim)) / chips,
    bytesPerChip: (total * bytesPerWeight + held) / chips,
  };
}

function needLines(need: MemoryNeed, sources: readonly string[]): readonly AuditLine[] {
  const { sequences } = need;
  return [
    {
      id: `memory-rate-at-${sequences}`,
      name: `Memory bandwidth of a chip at ${sequences} sequences`,
      value: need.bytesPerSecondPerChip,
      unit: 'B/s',
      by: '(weights ÷ time per token + keys and values) ÷ chips',
      sources,
    },
    {
      id: `tpot-at-${sequences}`,
      name: `Time per output token at ${sequences} sequences`,
      value: need.tpotSeconds,
      unit: 's',
      by: 'sequences ÷ output tokens/s',
      sources,
    },
  ];
}

function outputTokensPerSecond({ tokensPerSecond, inputTokens, outputTokens }: Claim): number {
  return (tokensPerSecond * outputTokens) / (inputTokens + outputTokens);
}
