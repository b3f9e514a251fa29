import { attentionFlopsPerPair, flopsPerProcessedToken } from '../architecture/parameters.ts';
import { rangeOf } from '../hardware/figure.ts';
import type { AuditLine, AuditSection } from './audit-line.ts';
import { type Claim, impliedPeak, sourceOf, sustainedFlopsPerChip } from './claim.ts';

/** The arithmetic that a claim takes. */
export function computeSection(claim: Claim): AuditSection {
  const { architecture, chips, inputTokens, outputTokens } = claim;
  const flops = flopsPerProcessedToken(architecture, claim);
  const attention = (attentionFlopsPerPair(architecture) * (inputTokens + outputTokens)) / 2;
  const sustained = sustainedFlopsPerChip(claim);
  const rate = sourceOf(claim, 'tokens_per_second');
  const line = (
    id: string,
    name: string,
    value: AuditLine['value'],
    unit: AuditLine['unit'],
    by: string,
  ): AuditLine => ({ id, name, value, unit, by, sources: [rate, architecture.source] });
  return {
    title: 'Arithmetic',
    lines: [
      line(
        'flops-per-token',
        'FLOPs of a processed token',
        flops,
        'FLOP',
        '2 × weights + attention to what came before; the head for outputs alone',
      ),
      line('attention-share', 'Attention’s share of them', attention / flops, 'share', '÷'),
      line(
        'sustained-server',
        'Sustained by the server',
        sustained * chips,
        'FLOP/s',
        '× tokens/s',
      ),
      line('sustained-chip', 'Sustained by each chip', sustained, 'FLOP/s', '÷ chips'),
      ...ownPeakLines(claim, sustained),
      ...peakLines(claim, sustained),
    ],
  };
}

/** A chip with a data sheet of its own can be held against it. */
function ownPeakLines({ chip, precision }: Claim, sustained: number): readonly AuditLine[] {
  const figure = chip.peakFlops[precision.weights];
  if (figure === undefined || figure.byConstruction) return [];
  return [
    {
      id: 'sustained-over-own-peak',
      name: `That over the peak of ${chip.name} by its data sheet`,
      value: sustained / rangeOf(figure).high,
      unit: 'share',
      by: `÷ ${precision.weights} peak`,
      sources: [figure.source],
    },
  ];
}

function peakLines(claim: Claim, sustained: number): readonly AuditLine[] {
  const { utilization, gpuUtilization, comparisons, precision } = claim;
  const source = sourceOf(claim, 'utilization');
  const peak = impliedPeak(sustained, utilization);
  const shares = [...new Set([percent(utilization.high), percent(utilization.low)])];
  const over = comparisons.flatMap(({ chip }): readonly AuditLine[] => {
    const figure = chip.peakFlops[precision.weights];
    if (figure === undefined) return [];
    return [
      {
        id: `peak-over-${chip.name.toLowerCase()}`,
        name: `That peak over ${chip.name}’s`,
        value: peak.low / rangeOf(figure).high,
        unit: 'times',
        by: `implied peak ÷ ${precision.weights} peak`,
        sources: [figure.source],
      },
    ];
  });
  return [
    {
      id: 'implied-peak',
      name: `Dense peak of a chip at ${shares.join(' and ')} utilisation`,
      value: peak,
      unit: 'FLOP/s',
      by: 'sustained ÷ utilisation',
      sources: [source],
    },
    ...over,
    ...(gpuUtilization === undefined
      ? []
      : [
          {
            id: 'peak-at-gpu-utilization',
            name: `Dense peak of a chip at the ${percent(gpuUtilization)} said of GPUs`,
            value: sustained / gpuUtilization,
            unit: 'FLOP/s',
            by: 'sustained ÷ utilisation',
            sources: [sourceOf(claim, 'gpu_utilization')],
          } as const,
        ]),
    ...comparisons.map(
      ({ chip, chips, tokensPerSecond, source: said }): AuditLine => ({
        id: `utilization-of-${chip.name.toLowerCase()}`,
        name: `Utilisation of ${chips} × ${chip.name} at the rate said of it`,
        value: utilizationOf(claim, { chip, chips, tokensPerSecond }),
        unit: 'share',
        by: 'tokens/s × FLOPs ÷ peak',
        sources: [said],
      }),
    ),
  ];
}

function utilizationOf(
  claim: Claim,
  { chip, chips, tokensPerSecond }: Pick<Claim, 'chip' | 'chips' | 'tokensPerSecond'>,
): number {
  const peak = chip.peakFlops[claim.precision.weights] ?? chip.peakFlops.bf16!;
  const flops = tokensPerSecond * flopsPerProcessedToken(claim.architecture, claim);
  return flops / (chips * rangeOf(peak).high);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
