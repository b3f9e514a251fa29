import type { AuditLine, AuditSection } from '../core/claim/audit-line.ts';
import { type Claim, sourceOf } from '../core/claim/claim.ts';
import type { Chip } from '../core/hardware/chip.ts';
import type { Range } from '../core/hardware/figure.ts';
import { costPerMillionTokens } from '../core/timing/token-cost.ts';
import { type Baseline, isAsNarrow } from './baselines.ts';

const ONE_POINT = 0.01;
const ASSUMED_COSTS = 'prices, lifetimes and power factors of the timing model (assumed)';

/** What a claim replaces, what its tokens cost, and what a point of utilisation is worth. */
export function economicsSection(claim: Claim, baselines: readonly Baseline[]): AuditSection {
  const cost = costPerMillionTokens(claim).dollars;
  return {
    title: 'Replacement and cost',
    lines: [
      ...replacementLines(claim, baselines),
      {
        id: 'dollars-per-million',
        name: 'A million processed tokens, as claimed',
        value: cost,
        unit: 'USD',
        by: 'chips, server and power over their lifetime ÷ tokens',
        sources: [
          `price of ${claim.chip.name}: ${claim.chip.priceDollars.source}`,
          `power of ${claim.chip.name}: ${claim.chip.powerWatts.source}`,
          ASSUMED_COSTS,
        ],
      },
      ...comparisonCosts(claim, baselines),
      ...worthLines(claim, cost),
    ],
  };
}

/** Chips of the kind that one server is said to replace, by what was measured on them. */
function replacementLines(claim: Claim, baselines: readonly Baseline[]): readonly AuditLine[] {
  const { replaces, chips } = claim;
  if (replaces === undefined) return [];
  const own = publishedOf(claim, baselines, replaces.chip);
  const source = sourceOf(claim, 'replaces');
  const said: AuditLine = {
    id: 'replaces-implied',
    name: `To replace ${replaces.chips} × ${replaces.chip.name}, each of those makes`,
    value: claim.tokensPerSecond / replaces.chips,
    unit: 'tokens/s',
    by: 'claimed tokens/s ÷ chips replaced',
    sources: [source],
  };
  if (own.length === 0) return [said];
  const replaced = own.map(({ ratio }) => ratio * chips);
  return [
    said,
    {
      id: 'replaces-published',
      name: `${replaces.chip.name} that the claimed rate replaces, best to worst published row`,
      value: { low: Math.min(...replaced), high: Math.max(...replaced) },
      unit: 'chips',
      by: 'ratio × chips, rows as narrow as the claim',
      sources: [source, own.at(-1)!.row.source],
    },
  ];
}

/** The same tokens on what the claim compares itself with, by the best published row. */
function comparisonCosts(claim: Claim, baselines: readonly Baseline[]): readonly AuditLine[] {
  return claim.comparisons.flatMap(({ chip }): readonly AuditLine[] => {
    const best = publishedOf(claim, baselines, chip).at(-1);
    if (best === undefined) return [];
    const { dollars } = costPerMillionTokens({
      chip,
      chips: claim.chips,
      tokensPerSecond: best.processedTokensPerSecond,
    });
    return [
      {
        id: `dollars-per-million-${chip.name.toLowerCase()}`,
        name: `The same on ${chip.name}, best published row`,
        value: dollars,
        unit: 'USD',
        by: `${best.row.version}, ${best.row.precision}, ${best.replicas} × TP${best.row.tp}`,
        sources: [best.row.source, chip.priceDollars.source, ASSUMED_COSTS],
      },
    ];
  });
}

function worthLines(claim: Claim, cost: Range): readonly AuditLine[] {
  const { projectDollars, utilization, tokensPerSecond } = claim;
  const perPoint = (value: number): number => (value * ONE_POINT) / utilization.high;
  const point: AuditLine = {
    id: 'point-of-utilization',
    name: 'A point of utilisation, in tokens of the server',
    value: perPoint(tokensPerSecond),
    unit: 'tokens/s',
    by: 'tokens/s × 1 % ÷ utilisation',
    sources: [sourceOf(claim, 'utilization')],
  };
  const worth: AuditLine = {
    id: 'worth-of-a-point',
    name: 'The same, of the cost of a billion tokens',
    value: { low: perPoint(1000 * cost.low), high: perPoint(1000 * cost.high) },
    unit: 'USD',
    by: 'cost × 1 % ÷ utilisation',
    sources: [sourceOf(claim, 'utilization'), ASSUMED_COSTS],
  };
  if (projectDollars === undefined) return [point, worth];
  return [
    point,
    worth,
    {
      id: 'spend-that-one-percent-pays',
      name: 'Spending on inference of which 1 % pays for developing a chip',
      value: { low: projectDollars.low / ONE_POINT, high: projectDollars.high / ONE_POINT },
      unit: 'USD',
      by: 'cost of a chip project ÷ 1 %',
      sources: [sourceOf(claim, 'project_dollars')],
    },
  ];
}

/** Rows of a chip in a format as narrow as the claim's, the fastest last. */
function publishedOf(
  claim: Claim,
  baselines: readonly Baseline[],
  { name }: Chip,
): readonly Baseline[] {
  return baselines.filter(({ row }) => row.chip === name && isAsNarrow(claim, row.precision));
}
