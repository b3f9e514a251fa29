import type { Architecture } from '../architecture/architecture.ts';
import { flopsPerProcessedToken } from '../architecture/parameters.ts';
import type { Chip } from '../hardware/chip.ts';
import type { Range } from '../hardware/figure.ts';
import type { PricedPrecision } from '../timing/precision.ts';

/** What a claim says that other chips reach. */
export interface ClaimedComparison {
  readonly chip: Chip;
  readonly chips: number;
  readonly tokensPerSecond: number;
  /** How many times faster the claimed chip is said to be. */
  readonly ratio: number;
  readonly source: string;
}

/** A chip's multipliers, as the claim counts them. */
export interface ClaimedMatmul {
  readonly chip: Chip;
  /** Units that multiply matrices, and the fused multiply-adds of one in a cycle. */
  readonly units: number;
  readonly fmaPerUnit: number;
  readonly transistorsPerFma: number;
}

/** The claim's own estimate of when a chip waits for its memory. */
export interface ClaimedRoofline {
  readonly chip: Chip;
  readonly parameters: number;
  readonly bytesPerElement: number;
  readonly layers: number;
  readonly promptTokens: number;
  readonly decodes: number;
}

/** A published throughput of a server, and all that was said around it. */
export interface Claim {
  readonly name: string;
  readonly source: string;
  readonly architecture: Architecture;
  readonly precision: PricedPrecision;
  readonly chip: Chip;
  readonly chips: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the server, input and output together. */
  readonly tokensPerSecond: number;
  /** Share of the dense peak that is said to be used. */
  readonly utilization: Range;
  /** What is said of GPUs. */
  readonly gpuUtilization: number | undefined;
  /** Of the multipliers; assumed where the claim does not say. */
  readonly clockHertz: Range;
  readonly matmul: ClaimedMatmul | undefined;
  readonly comparisons: readonly ClaimedComparison[];
  /** Chips that one server is said to stand for. */
  readonly replaces: { readonly chip: Chip; readonly chips: number } | undefined;
  readonly roofline: ClaimedRoofline | undefined;
  /** What developing such a chip is said to cost. */
  readonly projectDollars: Range | undefined;
  /** Where a field of the claim's file is from, where that is not `source`. */
  readonly sources: Readonly<Record<string, string>>;
}

/** Where a field of the claim is from. */
export function sourceOf({ source, sources }: Claim, field: string): string {
  return sources[field] ?? source;
}

/** FLOP/s that each chip sustains if the claim holds, attention included. */
export function sustainedFlopsPerChip(
  claim: Pick<Claim, 'architecture' | 'chips' | 'inputTokens' | 'outputTokens' | 'tokensPerSecond'>,
): number {
  return (claim.tokensPerSecond * flopsPerProcessedToken(claim.architecture, claim)) / claim.chips;
}

/** Dense peak of a chip that sustains so much at the claimed utilisation; low at the highest share. */
export function impliedPeak(sustained: number, { low, high }: Range): Range {
  return { low: sustained / high, high: sustained / low };
}
