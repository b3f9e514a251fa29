import type { Claim } from '../../core/claim/claim.ts';
import type { Audit } from '../../evidence/audit-claim.ts';
import { type Baseline, type ComparisonCheck, isAsNarrow } from '../../evidence/baselines.ts';
import type { Cell } from '../../report/report.ts';
import { formatCell, formatNumber, formatShare } from '../models/quantity.ts';
import type { SourceList } from '../models/source-list.ts';
import { countOf } from '../terminal/format.ts';

/** Columns of `baselineCells`; the first two are text. */
export const BASELINE_HEAD: readonly string[] = [
  'Published row',
  'Layout',
  'Output/s',
  'Processed/s',
  'Claim is',
  'MFU',
  'Sources',
  'Doubt',
];

/** Rows that a sentence lists at most. */
const SHOWN = 4;

/** One published row of the claim's workload. */
export function baselineCells(baseline: Baseline, sources: SourceList): readonly Cell[] {
  const { row, replicas, processedTokensPerSecond, ratio, mfu } = baseline;
  return [
    rowName(baseline),
    layoutOf(baseline),
    formatCell(row.value * replicas),
    formatCell(processedTokensPerSecond),
    formatCell(ratio, timesOf),
    formatCell(mfu, formatShare),
    sources.refer([row.source]),
    row.doubt ?? '',
  ];
}

/** What the rows say of the ratio, and of the rates that the claim states of other chips. */
export function baselineFindings({ claim, baselines, comparisons }: Audit): readonly string[] {
  if (baselines.length === 0)
    return ['No published row has these lengths on a model of this size.'];
  const narrow = baselines.filter(({ row }) => isAsNarrow(claim, row.precision));
  return [
    ...comparisons.flatMap((check) => findingsOf(check, narrow)),
    ...(narrow.length === 0
      ? []
      : [
          `Against all ${narrow.length} rows in ${claim.precision.weights} or narrower, the claim is ${timesOf(narrow.at(-1)!.ratio)} to ${timesOf(narrow[0]!.ratio)}.`,
        ]),
  ];
}

function findingsOf(
  { comparison, nearest, range, published, holdsAgainst }: ComparisonCheck,
  narrow: readonly Baseline[],
): readonly string[] {
  const { chip, chips, tokensPerSecond, ratio } = comparison;
  const said = `Said of ${chips} × ${chip.name}: ${formatNumber(tokensPerSecond)} tokens/s`;
  if (nearest === undefined || range === undefined) return [`${said}; nothing is published.`];
  const below = tokensPerSecond < range.low ? ', more than is said in every one' : '';
  const holding = holdsAgainst.map(shortLabel);
  return [
    `${said}. Published, restated as processed tokens: nearest ${formatNumber(nearest.processedTokensPerSecond)} (${labelOf(nearest)}); ${countOf(published.length, 'row')} from ${formatNumber(range.low)} to ${formatNumber(range.high)}${below}.`,
    `More than ${ratio} × ${chip.name} holds against ${holdsAgainst.length} of them${holding.length === 0 || holding.length > SHOWN ? '' : `: ${holding.join('; ')}`}.`,
    ...sameVersion(nearest, narrow),
  ];
}

/** The other layouts of the same publication: one version, model, chip and format. */
function sameVersion(nearest: Baseline, narrow: readonly Baseline[]): readonly string[] {
  const same = narrow.filter(({ row }) =>
    (['version', 'model', 'chip', 'precision'] as const).every(
      (field) => row[field] === nearest.row[field],
    ),
  );
  if (same.length < 2) return [];
  const ratios = same.map((baseline) => `${timesOf(baseline.ratio)} at ${layoutOf(baseline)}`);
  return [`The same version, model, chip and format: ${ratios.join(', ')}.`];
}

function labelOf(baseline: Baseline): string {
  return `${rowName(baseline)} ${layoutOf(baseline)}`;
}

/** Version, model, chip and format of a row. */
export function rowName({ row }: Baseline): string {
  const batch = row.sequences === undefined ? '' : `, static batch ${row.sequences}`;
  return `${row.version} ${row.model} ${row.chip} ${row.precision}${batch}`;
}

function shortLabel(baseline: Baseline): string {
  return `${labelOf(baseline)} ${timesOf(baseline.ratio)}`;
}

/** Replicas and degree of a row, such as "4 × TP2". */
export function layoutOf({ replicas, row: { tp } }: Baseline): string {
  return replicas === 1 ? `TP${tp}` : `${replicas} × TP${tp}`;
}

/** A ratio with the digits that matter. */
export function timesOf(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`;
}

/** What the claim says, in one line. */
export function describeClaim(claim: Claim): string {
  const { architecture, chips, chip, inputTokens, outputTokens, precision } = claim;
  return `${claim.name}: ${formatNumber(claim.tokensPerSecond)} tokens/s of ${architecture.name} on ${chips} × ${chip.name}, ${inputTokens}/${outputTokens}, ${precision.weights}`;
}
