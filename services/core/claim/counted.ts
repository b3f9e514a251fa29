import { flopsPerProcessedToken } from '../architecture/parameters.ts';
import { rangeOf } from '../hardware/figure.ts';
import type { AuditLine, AuditSection } from './audit-line.ts';
import { type Claim, type ClaimedComparison, sourceOf } from './claim.ts';

/** Which tokens a claim counts: input and output, and why it cannot be output alone. */
export function countedSection(claim: Claim): AuditSection {
  const { inputTokens, outputTokens, tokensPerSecond } = claim;
  const sources = [sourceOf(claim, 'tokens_per_second')];
  const tokens = inputTokens + outputTokens;
  return {
    title: 'What is counted: input and output tokens',
    lines: [
      {
        id: 'requests-per-second',
        name: 'Requests of the server',
        value: tokensPerSecond / tokens,
        unit: 'requests/s',
        by: 'tokens/s ÷ (input + output)',
        sources,
      },
      {
        id: 'output-tokens-per-second',
        name: 'Output tokens of the server',
        value: (tokensPerSecond * outputTokens) / tokens,
        unit: 'tokens/s',
        by: 'requests/s × output',
        sources,
      },
      {
        id: 'processed-per-output',
        name: 'Processed tokens for each output token',
        value: tokens / outputTokens,
        unit: 'times',
        by: '(input + output) ÷ output',
        sources,
      },
      ...outputOnlyLines(claim),
    ],
  };
}

/** The other reading: if only outputs were counted, the arithmetic would be as many times more. */
function outputOnlyLines(claim: Claim): readonly AuditLine[] {
  const { chips, tokensPerSecond, chip } = claim;
  const flopsPerOutput =
    (flopsPerProcessedToken(claim.architecture, claim) * (claim.inputTokens + claim.outputTokens)) /
    claim.outputTokens;
  return [
    ...claim.comparisons
      .slice(0, 1)
      .flatMap((comparison) => comparisonLines(claim, comparison, flopsPerOutput)),
    {
      id: 'output-only-flops-per-chip',
      name: `If only outputs counted: each ${chip.name} would sustain`,
      value: (tokensPerSecond * flopsPerOutput) / chips,
      unit: 'FLOP/s',
      by: 'tokens/s × FLOPs of a request ÷ output ÷ chips',
      sources: [sourceOf(claim, 'tokens_per_second'), claim.architecture.source],
    },
  ];
}

function comparisonLines(
  { precision }: Claim,
  { chip, chips, tokensPerSecond, source }: ClaimedComparison,
  flopsPerOutput: number,
): readonly AuditLine[] {
  const peak = chip.peakFlops[precision.weights];
  if (peak === undefined) return [];
  const flops = tokensPerSecond * flopsPerOutput;
  return [
    {
      id: 'gpu-output-only-flops',
      name: `If only outputs counted: ${chips} × ${chip.name} would do`,
      value: flops,
      unit: 'FLOP/s',
      by: 'claimed tokens/s × FLOPs of a request ÷ output',
      sources: [source],
    },
    {
      id: 'gpu-output-only-over-peak',
      name: `That over the dense peak of ${chips} × ${chip.name}: impossible above 1`,
      value: flops / (chips * rangeOf(peak).high),
      unit: 'times',
      by: `÷ (chips × ${precision.weights} peak)`,
      sources: [source, peak.source],
    },
  ];
}
