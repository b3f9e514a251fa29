import type { Architecture } from '../core/architecture/architecture.ts';
import { flopsPerProcessedToken } from '../core/architecture/parameters.ts';
import { hasStackedMemory } from '../core/claim/best-known.ts';
import type { Claim, ClaimedComparison } from '../core/claim/claim.ts';
import type { Format } from '../core/hardware/chip.ts';
import { findChip } from '../core/hardware/chip-catalogue.ts';
import { type Range, rangeOf } from '../core/hardware/figure.ts';
import { weightBytesOf } from '../core/timing/precision.ts';
import type { PublishedRow } from './published-row.ts';

/** A published measurement as what as many chips as the claim's would reach, in replicas. */
export interface Baseline {
  readonly row: PublishedRow;
  readonly replicas: number;
  /** Input and output, of all replicas. */
  readonly processedTokensPerSecond: number;
  /** The claim's tokens per second over those. */
  readonly ratio: number;
  /** Of the dense peak of the row's format. */
  readonly mfu: number;
}

/** A claimed rate of other chips beside what was published of them. */
export interface ComparisonCheck {
  readonly comparison: ClaimedComparison;
  /** The published rows of that chip, in a format as narrow as the claim's. */
  readonly published: readonly Baseline[];
  /** Of the claim's own model where there is one; undefined where nothing is published. */
  readonly nearest: Baseline | undefined;
  /** Of all those rows. */
  readonly range: Range | undefined;
  /** Those against which the claimed ratio holds. */
  readonly holdsAgainst: readonly Baseline[];
}

/** Rows whose requests and arithmetic are those of the claim: another 70B of the family counts. */
const SAME_MODEL = 0.05;

/** Every published row of the claim's workload on chips of its class: the highest ratio first, wider formats last. */
export function baselinesOf(
  claim: Claim,
  rows: readonly PublishedRow[],
  architectureOf: (model: string) => Architecture,
): readonly Baseline[] {
  const flops = flopsPerProcessedToken(claim.architecture, claim);
  const sizes = new Map<string, number>();
  const flopsOf = (model: string): number => {
    const known = sizes.get(model) ?? flopsPerProcessedToken(architectureOf(model), claim);
    sizes.set(model, known);
    return known;
  };
  return rows
    .filter(
      (row) =>
        row.metric === 'output_tokens_per_s' &&
        row.inputTokens === claim.inputTokens &&
        row.outputTokens === claim.outputTokens &&
        claim.chips % row.tp === 0 &&
        hasStackedMemory(findChip(row.chip)) &&
        Math.abs(flopsOf(row.model) / flops - 1) < SAME_MODEL,
    )
    .map((row) => baselineOf(claim, row, flopsOf(row.model)))
    .sort((a, b) => isWider(claim, a) - isWider(claim, b) || b.ratio - a.ratio);
}

/** Whether the row's weights are no wider than the claim's: what a fair comparison needs at least. */
export function isAsNarrow(claim: Claim, format: Format): boolean {
  return weightBytesOf(format) <= weightBytesOf(claim.precision.weights);
}

/** Each rate that the claim states of other chips, beside the published rows of theirs. */
export function checkComparisons(
  claim: Claim,
  baselines: readonly Baseline[],
): readonly ComparisonCheck[] {
  return claim.comparisons.map((comparison) => {
    const scale = comparison.chips / claim.chips;
    const own = baselines.filter(
      ({ row }) => row.chip === comparison.chip.name && isAsNarrow(claim, row.precision),
    );
    const distance = ({ processedTokensPerSecond: rate }: Baseline): number =>
      Math.abs(scale * rate - comparison.tokensPerSecond);
    const rates = own.map(({ processedTokensPerSecond: rate }) => scale * rate);
    const ofModel = own.filter(({ row }) => row.model === claim.architecture.name);
    const candidates = ofModel.length > 0 ? ofModel : own;
    return {
      comparison,
      published: own,
      nearest: [...candidates].sort((a, b) => distance(a) - distance(b))[0],
      range: rates.length === 0 ? undefined : { low: Math.min(...rates), high: Math.max(...rates) },
      holdsAgainst: own.filter(({ ratio }) => ratio > comparison.ratio),
    };
  });
}

function isWider(claim: Claim, { row }: Baseline): number {
  return isAsNarrow(claim, row.precision) ? 0 : 1;
}

function baselineOf(claim: Claim, row: PublishedRow, flops: number): Baseline {
  const replicas = claim.chips / row.tp;
  const perOutput = (claim.inputTokens + claim.outputTokens) / claim.outputTokens;
  const processedTokensPerSecond = row.value * replicas * perOutput;
  const peak = rangeOf(findChip(row.chip).peakFlops[row.precision]!).high;
  return {
    row,
    replicas,
    processedTokensPerSecond,
    ratio: claim.tokensPerSecond / processedTokensPerSecond,
    mfu: (processedTokensPerSecond * flops) / (claim.chips * peak),
  };
}
