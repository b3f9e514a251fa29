import { type Range, rangeOf } from '../hardware/figure.ts';
import type { AuditLine, AuditSection } from './audit-line.ts';
import { bestEnergyPerFlop } from './best-known.ts';
import { type Claim, impliedPeak, sourceOf, sustainedFlopsPerChip } from './claim.ts';

/** A fused multiply-add is two operations. */
const FLOPS_PER_FMA = 2;

/** Joules per FLOP if a chip at its rated power sustains what the claim takes. */
export function energyPerFlop(claim: Claim): Range {
  const watts = rangeOf(claim.chip.powerWatts);
  const sustained = sustainedFlopsPerChip(claim);
  return { low: watts.low / sustained, high: watts.high / sustained };
}

/** Multipliers that reach the peak of the highest claimed utilisation, at either end of the clock. */
export function fmaCount(claim: Claim): Range {
  const peak = impliedPeak(sustainedFlopsPerChip(claim), claim.utilization).low;
  return {
    low: peak / FLOPS_PER_FMA / claim.clockHertz.high,
    high: peak / FLOPS_PER_FMA / claim.clockHertz.low,
  };
}

/** Transistors of those multipliers; undefined where the claim does not count them. */
export function matmulTransistors(claim: Claim): Range | undefined {
  if (claim.matmul === undefined) return undefined;
  const { low, high } = fmaCount(claim);
  const { transistorsPerFma } = claim.matmul;
  return { low: low * transistorsPerFma, high: high * transistorsPerFma };
}

/** The area and the energy that a claim takes. */
export function siliconSection(claim: Claim): AuditSection {
  const best = bestEnergyPerFlop(claim.precision.weights);
  return {
    title: 'Silicon: area and energy',
    lines: [
      ...areaLines(claim),
      {
        id: 'energy-per-flop',
        name: 'Energy of a FLOP at the chip’s power',
        value: energyPerFlop(claim),
        unit: 'J/FLOP',
        by: 'power ÷ sustained FLOP/s',
        sources: [`power of ${claim.chip.name}: ${claim.chip.powerWatts.source}`],
      },
      ...best.map(
        ({ chip, joules, isSustained, source }): AuditLine => ({
          id: `energy-of-${chip.name.toLowerCase()}`,
          name: `The same of the best product measured on ${chip.name}`,
          value: joules,
          unit: 'J/FLOP',
          by: `power ÷ measured FLOP/s, ${isSustained ? 'sustained' : 'in a burst'}`,
          sources: [source, chip.powerWatts.source],
        }),
      ),
    ],
  };
}

function areaLines(claim: Claim): readonly AuditLine[] {
  const fma: AuditLine = {
    id: 'fma',
    name: 'Multiply-adds of a chip in a cycle',
    value: fmaCount(claim),
    unit: 'FMA',
    by: 'implied peak ÷ 2 ÷ clock',
    sources: [sourceOf(claim, 'clock_hertz')],
  };
  const { matmul } = claim;
  const transistors = matmulTransistors(claim);
  if (matmul === undefined || transistors === undefined) return [fma];
  const sources = [sourceOf(claim, 'matmul')];
  const { chip, units, fmaPerUnit, transistorsPerFma } = matmul;
  const counted = units * fmaPerUnit;
  return [
    ...(chip.transistors === undefined
      ? []
      : [
          {
            id: 'matmul-share',
            name: `Share of ${chip.name}’s transistors that multiplies matrices`,
            value: (counted * transistorsPerFma) / rangeOf(chip.transistors).high,
            unit: 'share',
            by: `${units} units × ${fmaPerUnit} FMA × ${transistorsPerFma} transistors ÷ all`,
            sources: [...sources, chip.transistors.source],
          } as const,
        ]),
    fma,
    {
      id: 'matmul-transistors',
      name: 'Transistors of those',
      value: transistors,
      unit: 'transistors',
      by: `× ${transistorsPerFma}`,
      sources,
    },
  ];
}
